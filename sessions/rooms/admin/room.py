"""The tokens issued for a call's room, and its participants. A phone in a room is named by its number."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents.organizations.access import access_of
from agents.organizations.roles import Area
from agents.tenant_admin.theme import display
from sessions.calls.admin.records import CallRecordAdmin
from sessions.calls.masked_numbers import masked_in
from sessions.rooms.models import Participant, RoomToken

P = TypeVar("P", RoomToken, Participant)


class InRoomAdmin(CallRecordAdmin[P]):
    """Names and identities with numbers masked, for those who may not see callers' numbers."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[P]:
        seen = access_of(request).principal(Area.CALLER_NUMBERS)
        whole = self.model.objects.visible_to(seen).filter(pk=OuterRef("pk"))
        rows: QuerySet[P] = super().get_queryset(request).annotate(is_number_seen=Exists(whole))
        return rows

    @display(description=_("identity"), ordering="identity")
    def shown_identity(self, row: P) -> str:
        return _shown(row, row.identity)

    @display(description=_("name"), ordering="name")
    def shown_name(self, row: P) -> str:
        return _shown(row, row.known_as if isinstance(row, Participant) else row.name)


def _shown(row: RoomToken | Participant, text: str) -> str:
    return text if getattr(row, "is_number_seen", False) else masked_in(text)


@admin.register(RoomToken)
class RoomPassAdmin(InRoomAdmin[RoomToken]):
    """The tokens themselves are not stored."""

    list_display = ("shown_identity", "role", "shown_name", "shown_subject", "created_at", "of_call")
    list_display_links = ("shown_identity",)
    list_filter = ("role", "created_at")
    search_fields = ("=identity", "=subject")
    ordering = ("-id",)
    fields = ("of_call", "shown_identity", "role", "shown_name", "shown_subject", "created_at")
    readonly_fields = ("of_call", "shown_identity", "shown_name", "shown_subject")

    @display(description=_("subject"), ordering="subject")
    def shown_subject(self, row: RoomToken) -> str:
        return _shown(row, row.subject)


@admin.register(Participant)
class ParticipantAdmin(InRoomAdmin[Participant]):
    list_display = ("shown_name", "kind", "joined_at", "left_at", "shown_identity", "of_call")
    list_display_links = ("shown_name",)
    list_filter = ("kind", "joined_at")
    search_fields = ("=identity", "=sid")
    ordering = ("-id",)
    fields = ("of_call", "shown_name", "kind", "joined_at", "left_at", "shown_identity", "sid")
    readonly_fields = ("of_call", "shown_name", "shown_identity")
