"""The caller's audio on its way to the provider: kept while there is no session, counted while there is one."""

from __future__ import annotations

_APPEND = '{"type":"input_audio_buffer.append","audio":"'
# What the caller says while a session is being opened is kept, but never so much that the agent lags behind him.
MOST_KEPT = 2_000 * 8


class CallerAudio:
    """`session_bytes` is the provider's clock: its session counts the audio it was given, nothing else."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.session_bytes = 0
        self._is_open = False
        self._kept: list[tuple[str, int]] = []
        self._kept_bytes = 0

    def hear(self, payload: str, size: int, /) -> None:
        """Base64 µ-law of `size` bytes, safe to stand in a JSON string."""
        if self._is_open:
            self.session_bytes += size
            self.out.append(_APPEND + payload + '"}')
            return
        self._kept.append((payload, size))
        self._kept_bytes += size
        while self._kept_bytes > MOST_KEPT:
            self._kept_bytes -= self._kept.pop(0)[1]

    def open(self) -> None:
        """The session may hear: first what was kept."""
        self._is_open = True
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        for payload, size in kept:
            self.hear(payload, size)

    def close(self) -> None:
        self._is_open = False
        self.session_bytes = 0
        self.out.clear()
