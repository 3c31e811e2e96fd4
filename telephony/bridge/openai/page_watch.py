"""What the caller's page does to the session besides talking: on its data channel it has the same rights as we.

No frame says who sent an event. What we did not send, and the server does not do by itself, is the page's.
"""

from __future__ import annotations

from collections import deque

from telephony.bridge.core.events import SessionChangedByPage

from .frames import Item

# With the last of so many changes the call ends: each is put back, but putting back is not free.
MOST_CHANGES = 3
MOST_REMEMBERED = 64


class PageWatch:
    """Of one call, over all its side channels."""

    def __init__(self) -> None:
        self._made: deque[str] = deque(maxlen=MOST_REMEMBERED)  # items of the agent's responses
        self._dropped: set[str] = set()
        self._changes = 0

    def made(self, item: Item | None) -> None:
        """A response has this item."""
        if item is not None and item.id is not None:
            self._made.append(item.id)

    def changed(self, what: str, *, is_beyond_repair: bool = False) -> SessionChangedByPage:
        self._changes += 1
        return SessionChangedByPage(what, is_last=is_beyond_repair or self._changes >= MOST_CHANGES)

    def is_foreign(self, item: Item, *, ours: frozenset[str] = frozenset()) -> bool:
        """Whether the page made it. What a caller may say by voice, he may also type: that is none of our business."""
        is_callers = item.type == "message" and item.role == "user"
        return not (item.id is None or is_callers or item.id in ours or item.id in self._made)

    def is_misleading(self, item: Item) -> bool:
        """The model may have acted on it: a made-up output of a tool, or instructions."""
        return item.type not in ("message", "function_call") or item.role == "system"

    def drop(self, item_id: str) -> None:
        """We delete this item."""
        self._dropped.add(item_id)

    def is_dropped(self, item_id: str) -> bool:
        """Whether it was we who deleted it."""
        return item_id in self._dropped
