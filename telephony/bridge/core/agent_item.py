"""One stretch of the agent's speech: a content part of an item of the provider's."""

from __future__ import annotations

from dataclasses import dataclass

from .ulaw import decoded


class AgentItem:
    """`is_local`: made by us (a tone), unknown to the provider. `session` numbers the provider's session.

    `item_id` is the provider's and may repeat; `line_id` is ours and names its line of the transcript. `has_begun`:
    something of it can be heard; `loud_bytes` of the `lead_bytes` that came before that are no silence.
    `is_streamed`: its audio comes as it is spoken, so that how much has come says nothing about how long it is.
    `expected_ms`: how long it will be, as far as its text is known, where only that is known of it.
    """

    __slots__ = (
        "content_index",
        "expected_ms",
        "has_begun",
        "heard_bytes",
        "is_complete",
        "is_dropped",
        "is_local",
        "is_streamed",
        "item_id",
        "lead_bytes",
        "line_id",
        "loud_bytes",
        "response_id",
        "session",
    )

    def __init__(
        self,
        item_id: str,
        content_index: int = 0,
        session: int = 0,
        *,
        response_id: str = "",
        line_id: str = "",
        is_local: bool = False,
        is_streamed: bool = False,
    ) -> None:
        self.item_id = item_id
        self.line_id = line_id or item_id
        self.response_id = response_id
        self.content_index = content_index
        self.session = session
        self.is_local = is_local
        self.is_streamed = is_streamed
        self.has_begun = False
        self.is_complete = False
        self.is_dropped = False
        self.heard_bytes = 0
        self.expected_ms = 0
        self.loud_bytes = 0
        self.lead_bytes = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """What an interruption left of an item: `heard_ms` of the `received_ms` that the provider had sent."""

    item: AgentItem
    heard_ms: int
    received_ms: int
    is_unfinished: bool

    @property
    def is_missing_something(self) -> bool:
        """Whether the caller did not hear all there is. Truncating a wholly heard item would erase its text."""
        return self.is_unfinished or self.heard_ms < self.received_ms


# Less than this of an item (10 ms) cannot be made out.
AUDIBLE_BYTES = 80
# An item that begins with more silence than this (1 s) only delays the caller: the rest of it is not played.
LONGEST_LEAD_BYTES = 8_000
# µ-law codes of samples below 120 of 32,768 (-48 dB): what a quiet line sounds like.
QUIET = bytes([*range(0x70, 0x80), *range(0xF0, 0x100)])


def is_heard_now(item: AgentItem, payload: str) -> bool:
    """Count more audio (base64 µ-law) of an item that could not be heard so far. Returns whether it now can."""
    audio = decoded(payload)
    if audio:
        item.lead_bytes += len(audio)
        item.loud_bytes += len(audio.translate(None, QUIET))
    item.has_begun = item.loud_bytes >= AUDIBLE_BYTES
    return item.has_begun


def quiet_bytes(audio: bytes) -> int:
    """With how much silence it begins."""
    return len(audio) - len(audio.lstrip(QUIET))


def is_loud(payload: str) -> bool:
    """Whether a frame of the caller's holds more than a quiet line."""
    audio = decoded(payload)
    return audio is not None and len(audio.translate(None, QUIET)) >= AUDIBLE_BYTES


def is_too_quiet(item: AgentItem) -> bool:
    """Whether an item that has not begun holds more silence than is worth playing."""
    return item.lead_bytes > LONGEST_LEAD_BYTES
