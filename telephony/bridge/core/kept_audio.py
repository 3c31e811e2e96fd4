"""The caller's audio while there is no session that could hear it."""

from __future__ import annotations

from .agent_item import is_loud

# What the caller says while a session is being opened is kept, but never so much that the agent lags behind him.
MOST_KEPT = 2_000 * 8
# How a word begins can be quieter than it.
LEAD_BYTES = 200 * 8


class KeptAudio:
    """The newest two seconds, as base64 of µ-law in frames."""

    __slots__ = ("_bytes", "_frames")

    def __init__(self) -> None:
        self._frames: list[tuple[str, int]] = []
        self._bytes = 0

    def keep(self, payload: str, size: int) -> None:
        self._frames.append((payload, size))
        self._bytes += size
        while self._bytes > MOST_KEPT:
            self._bytes -= self._frames.pop(0)[1]

    def take(self) -> list[tuple[str, int]]:
        """Each payload with its size in bytes, in order. Nothing is kept any more."""
        frames, self._frames, self._bytes = self._frames, [], 0
        return frames

    def take_speech(self) -> list[tuple[str, int]]:
        """From shortly before the caller began to speak; nothing if he did not.

        For a session that takes what comes at once for live audio: silence before it would put all that follows behind.
        """
        frames, lead_bytes = self.take(), 0
        begins = next((at for at, (payload, _) in enumerate(frames) if is_loud(payload)), len(frames))
        if begins == len(frames):
            return []
        while begins and lead_bytes + frames[begins - 1][1] <= LEAD_BYTES:
            begins -= 1
            lead_bytes += frames[begins][1]
        return frames[begins:]
