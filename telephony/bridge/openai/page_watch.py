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
# As much as the page's own socket takes at once. More of it would cost more than a caller can say.
LONGEST_TEXT = 500
VOICE, TEXT = "input_audio", "input_text"


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
        """Whether the page made it. What is typed comes to us and is sent by us; only the voice is none of ours."""
        return not (item.id is None or _is_voice(item) or item.id in ours or item.id in self._made)

    def is_misleading(self, item: Item) -> bool:
        """The model may have acted on it: a made-up output of a tool, instructions, or more than a caller can say."""
        is_instruction = item.type not in ("message", "function_call") or item.role == "system"
        return is_instruction or (is_callers(item) and _is_too_much(item))

    def drop(self, item_id: str) -> None:
        """We delete this item."""
        self._dropped.add(item_id)

    def is_dropped(self, item_id: str) -> bool:
        """Whether it was we who deleted it."""
        return item_id in self._dropped


def is_callers(item: Item) -> bool:
    return item.type == "message" and item.role == "user"


def _is_voice(item: Item) -> bool:
    return is_callers(item) and all(part.type == VOICE for part in item.content or ())


def _is_too_much(item: Item) -> bool:
    parts = item.content or ()
    has_more = any(part.type not in (VOICE, TEXT) for part in parts)
    return has_more or sum(len(part.text or "") for part in parts) > LONGEST_TEXT
