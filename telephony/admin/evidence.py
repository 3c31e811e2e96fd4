"""The media streams that the carrier opened."""

from __future__ import annotations

from django.contrib import admin

from agents.admin.tenant import EvidenceAdmin
from agents.admin.theme import display
from agents.roles import Area
from sessions.admin.call import call_link
from telephony.models import MediaStream


@admin.register(MediaStream)
class MediaStreamAdmin(EvidenceAdmin[MediaStream]):
    area = Area.CALLS
    list_display = ("created_at", "stream_sid", "used_at", "ended_at", "follow_up", "of_call")
    list_filter = ("follow_up", "created_at")
    list_select_related = ("call",)
    linkable = ("call",)
    search_fields = ("=stream_sid",)
    ordering = ("-created_at",)
    fields = ("stream_sid", "account_sid", "created_at", "expires_at", "used_at", "ended_at", "follow_up",
              "hand_over_to", "of_call")  # fmt: skip
    readonly_fields = ("of_call",)

    @display(description="call")
    def of_call(self, stream: MediaStream) -> str:
        return call_link(stream.call)
