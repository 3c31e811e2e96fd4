"""Voice sessions: OpenAI Realtime sessions opened for browsers, until their records expire."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from agents.organizations.roles import Area
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.messages.models import OutboxMessage
from sessions.realtime.services.voice_sessions import TOPIC

from .models import VoiceSession

# Where an operator looks for a recording, or for the words.
NOT_KEPT = _(
    "None, and no transcript: the browser and OpenAI talk to each other. Calls of the call page and in rooms can be "
    "recorded."
)


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
    fields = (
        "session_id",
        "owner",
        "organization",
        "model",
        "is_text_only",
        "created_at",
        "expires_at",
        "announced",
        "recording",
    )
    readonly_fields = ("announced", "recording")

    @display(description=_("announcement"))
    def announced(self, record: VoiceSession) -> str:
        message = OutboxMessage.objects.filter(topic=TOPIC, partition_key=record.session_id).order_by("-id").first()
        return message.state_label if message else "–"

    @display(description=_("recording"))
    def recording(self, record: VoiceSession) -> str:
        return str(NOT_KEPT)
