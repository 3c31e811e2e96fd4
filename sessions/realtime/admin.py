"""Voice sessions: OpenAI Realtime sessions opened for browsers, until their records expire."""

from __future__ import annotations

from django.contrib import admin

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.messages.models import OutboxMessage
from sessions.realtime.services.voice_sessions import TOPIC

from .models import VoiceSession


@admin.register(VoiceSession)
class VoiceSessionAdmin(ReadOnlyAdmin[VoiceSession]):
    """Their announcements are listed under Webhook deliveries."""

    area = Area.SESSIONS
    list_display = ("session_id", "owner", "organization", "model", "is_text_only", "created_at", "expires_at")
    list_filter = ("is_text_only", "created_at", "organization")
    list_select_related = ("organization",)
    search_fields = ("=session_id", "=owner")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    fields = ("session_id", "owner", "organization", "model", "is_text_only", "created_at", "expires_at", "announced")
    readonly_fields = ("announced",)

    @display(description="announcement")
    def announced(self, record: VoiceSession) -> str:
        message = OutboxMessage.objects.filter(topic=TOPIC, partition_key=record.session_id).order_by("-id").first()
        return message.state_label if message else "–"
