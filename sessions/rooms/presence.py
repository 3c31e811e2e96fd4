"""Who was in a room from when to when, and since when two sides were there together. Plain values: no Django."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


class Side(enum.StrEnum):
    """A participant's role in the room. A machine records or connects, and is no party to the conversation.

    Someone who is not authorized has no token for this room: they do not count and are removed.
    """

    CALLER = "caller"
    CALLEE = "callee"
    AGENT = "agent"
    OTHER = "other"
    MACHINE = "machine"
    UNAUTHORIZED = "unauthorized"


PARTNERS = {Side.CALLEE, Side.AGENT}
PARTNERS_IN_CONFERENCE = {Side.CALLEE, Side.AGENT, Side.OTHER}


@dataclass(frozen=True, slots=True)
class Presence:
    """`until` is None while it lasts. Presences of one `party` are one person's, who may be there twice."""

    side: Side
    since: datetime
    until: datetime | None = None
    party: str = ""

    def meets(self, other: Presence) -> datetime | None:
        """The first time when both were present; None if one had left before the other joined."""
        first = max(self.since, other.since)
        return first if self._is_there(first) and other._is_there(first) else None

    def _is_there(self, time: datetime) -> bool:
        # A participant who joined and left at the same time was present at that time.
        return self.since <= time and (self.until is None or time < self.until or self.since == time)


def together_since(presences: Iterable[Presence], *, is_conference: bool) -> datetime | None:
    """The first time when the caller was present with another party; None if that never was.

    Of two parties on the caller's side the second one is somebody to talk to.
    """
    known = list(presences)
    partners = PARTNERS_IN_CONFERENCE if is_conference else PARTNERS
    met = [
        caller.meets(partner)
        for caller in known
        if caller.side is Side.CALLER
        for partner in known
        if partner.side in partners or (partner.side is Side.CALLER and partner.party != caller.party)
    ]
    return min((time for time in met if time is not None), default=None)
