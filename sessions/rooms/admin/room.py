"""Who was given a way into a call's room, and who was there."""

from __future__ import annotations

from django.contrib import admin

from agents.tenant_admin.theme import display
from sessions.calls.admin.records import OfACall
from sessions.rooms.models import Participant, RoomPass


@admin.register(RoomPass)
class RoomPassAdmin(OfACall[RoomPass]):
    """The tokens themselves are kept nowhere."""

    list_display = ("identity", "role", "name", "subject", "created_at", "of_call")
    list_display_links = ("identity",)
    list_filter = ("role", "created_at")
    search_fields = ("=identity", "=subject")
    ordering = ("-id",)
    fields = ("of_call", "identity", "role", "name", "subject", "created_at")


@admin.register(Participant)
class ParticipantAdmin(OfACall[Participant]):
    list_display = ("shown_name", "kind", "joined_at", "left_at", "identity", "of_call")
    list_display_links = ("shown_name",)
    list_filter = ("kind", "joined_at")
    search_fields = ("=identity", "=sid")
    ordering = ("-id",)
    fields = ("of_call", "name", "kind", "joined_at", "left_at", "identity", "sid")

    @display(description="who", ordering="name")
    def shown_name(self, participant: Participant) -> str:
        return str(participant)
