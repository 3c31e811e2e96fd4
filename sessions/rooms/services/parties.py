"""The party behind each identity in a call's room: by its room token, and by who came first where a key is shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents.organizations.principal import is_key
from sessions.calls.models import Call, CallType
from sessions.rooms.models import Participant, RoomToken
from sessions.rooms.presence import Presence, Side

from .phones import is_phone

Role = RoomToken.Role

SIDES: Mapping[str, Side] = {
    Role.CALLER: Side.CALLER,
    Role.CALLEE: Side.CALLEE,
    Role.MEMBER: Side.OTHER,
    Role.AGENT: Side.AGENT,
}


class Parties:
    """Of one call, by its current tokens.

    A person is one party, with however many tokens. An API key makes tokens for several people: each of its tokens is
    another person's, unless it has named the callee's; then its tokens are the caller's and the callee's as named.
    """

    def __init__(self, call: Call) -> None:
        self._passes = {each.identity: each for each in RoomToken.objects.filter(call=call)}
        self._is_conference = call.call_type == CallType.CONFERENCE
        self._naming = {each.subject for each in self._passes.values() if each.role == Role.CALLEE}

    def is_authorized(self, identity: str) -> bool:
        return identity in self._passes

    def is_phone(self, identity: str) -> bool:
        return identity in self._passes and is_phone(self._passes[identity].subject)

    def is_agent(self, identity: str) -> bool:
        return identity in self._passes and self._passes[identity].role == Role.AGENT

    def side(self, row: Participant) -> Side:
        """Of a presence by itself: all that come under the caller's tokens are the caller."""
        if row.identity in self._passes:
            return SIDES[self._passes[row.identity].role]
        return Side.MACHINE if row.kind == Participant.Kind.MACHINE else Side.UNAUTHORIZED

    def side_among(self, row: Participant, others: Iterable[Participant]) -> Side:
        """As the timeline names it: of a key's people on the caller's side the first is the caller."""
        side = self.side(row)
        if side is not Side.CALLER:
            return side
        since = row.joined_at or row.left_at
        for other in others:
            is_first = other.joined_at is not None and since is not None and other.joined_at < since
            if is_first and self.side(other) is Side.CALLER and self._party(other) != self._party(row):
                return Side.OTHER if self._is_conference else Side.CALLEE
        return side

    def presence(self, row: Participant) -> Presence | None:
        """None if they have not joined."""
        if row.joined_at is None:
            return None
        return Presence(self.side(row), row.joined_at, row.surely_until, self._party(row))

    def _party(self, row: Participant) -> str:
        given = self._passes.get(row.identity)
        if given is None or (is_key(given.subject) and given.subject not in self._naming):
            return row.identity
        return f"{given.role} {given.subject}"
