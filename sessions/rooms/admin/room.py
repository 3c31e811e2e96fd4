"""The tokens issued for a call's room, and its participants."""

from __future__ import annotations

from django.contrib import admin

from agents.tenant_admin.theme import display
from sessions.calls.admin.records import CallRecordAdmin
from sessions.rooms.models import Participant, RoomToken


@admin.register(RoomToken)
class RoomPassAdmin(CallRecordAdmin[RoomToken]):
    """The tokens themselves are not stored."""

    list_display = ("identity", "role", "name", "subject", "created_at", "of_call")
    list_display_links = ("identity",)
    list_filter = ("role", "created_at")
    search_fields = ("=identity", "=subject")
    ordering = ("-id",)
    fields = ("of_call", "identity", "role", "name", "subject", "created_at")


@admin.register(Participant)
class ParticipantAdmin(CallRecordAdmin[Participant]):
    list_display = ("shown_name", "kind", "joined_at", "left_at", "identity", "of_call")
    list_display_links = ("shown_name",)
    list_filter = ("kind", "joined_at")
    search_fields = ("=identity", "=sid")
    ordering = ("-id",)
    fields = ("of_call", "name", "kind", "joined_at", "left_at", "identity", "sid")

    @display(description="participant", ordering="name")
    def shown_name(self, participant: Participant) -> str:
        return str(participant)
