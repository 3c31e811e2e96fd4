"""What every endpoint about a room shares: whose call it is, and who may do what with it."""

from __future__ import annotations

import enum

from agents.organizations.api import CustomerView
from agents.organizations.principal import Principal
from sessions.calls.models import LIVE_STATES, Call, CallQuerySet, CallType
from sessions.rooms.api.errors import ACCESS_DENIED, SESSION_NOT_FOUND
from voiceapp.core.api.errors import Problem

# Ended calls may have had the same name; the newest of them are looked at.
MOST_NAMESAKES = 20


class Access(enum.Enum):
    """What a request wants of a call. Members of an organization may read and join its conferences."""

    READ = enum.auto()
    JOIN = enum.auto()
    WRITE = enum.auto()


class RoomView(CustomerView):
    """`not_found` and `denied` where the API's specification has another title."""

    scope_area = "calls"
    not_found = SESSION_NOT_FOUND
    denied = ACCESS_DENIED

    def find_call(self, room_name: str, access: Access, *, denied: Problem | None = None) -> Call:
        """The room's call, a live one before those that are over. 404 for a stranger's, 403 for a colleague's."""
        principal, named = self.principal, self.calls_named(room_name)
        found = sorted(named.order_by("-created_at")[:MOST_NAMESAKES], key=lambda call: call.state not in LIVE_STATES)
        if not found:
            raise self.not_found.error()
        for call in found:
            if may(principal, call, access):
                return call
        raise (denied or self.denied).error()

    def calls_named(self, room_name: str) -> CallQuerySet:
        return Call.objects.in_rooms().reachable_by(self.principal).filter(room_name=room_name)


def may(principal: Principal, call: Call, access: Access) -> bool:
    """Of a call that is reachable: its owner, its callee and its organization's managers may do everything."""
    if principal.manages(call.organization_id) or principal.subject in (call.owner, call.callee):
        return True
    return call.call_type == CallType.CONFERENCE and access is not Access.WRITE
