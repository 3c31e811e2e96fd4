"""Whether audio can be heard: a response of silence, or of nothing, answers no one."""

from __future__ import annotations

from .agent_item import AgentItem
from .ulaw import decoded

# Less than this of an item (10 ms) is no sound that anyone makes out.
AUDIBLE_BYTES = 80
# An item that begins with more silence than this (1 s) keeps the caller waiting for nothing: the rest is not played.
LONGEST_LEAD_BYTES = 8_000
# µ-law codes of samples below 120 of 32,768 (-48 dB): what a quiet line sounds like.
_QUIET = bytes([*range(0x70, 0x80), *range(0xF0, 0x100)])


def is_heard_now(item: AgentItem, payload: str) -> bool:
    """Count more audio (base64 µ-law) of an item that could not be heard so far. Returns whether it now can."""
    audio = decoded(payload)
    if audio:
        item.lead_bytes += len(audio)
        item.loud_bytes += len(audio.translate(None, _QUIET))
    item.has_begun = item.loud_bytes >= AUDIBLE_BYTES
    return item.has_begun


def is_loud(payload: str) -> bool:
    """Whether a frame of the caller's holds more than a quiet line."""
    audio = decoded(payload)
    return audio is not None and len(audio.translate(None, _QUIET)) >= AUDIBLE_BYTES


def is_too_quiet(item: AgentItem) -> bool:
    """Nothing of the item could be heard so far, for longer than is worth playing."""
    return not item.has_begun and item.lead_bytes > LONGEST_LEAD_BYTES
