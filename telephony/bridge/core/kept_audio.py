"""The caller's audio while there is no session that could hear it."""

from __future__ import annotations

# What the caller says while a session is being opened is kept, but never so much that the agent lags behind him.
MOST_KEPT = 2_000 * 8


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
