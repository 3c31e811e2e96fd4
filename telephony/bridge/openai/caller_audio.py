"""The caller's audio on its way to the provider: kept while there is no session, counted while there is one."""

from __future__ import annotations

from telephony.bridge.core.kept_audio import KeptAudio

_APPEND = '{"type":"input_audio_buffer.append","audio":"'


class CallerAudio:
    """`session_bytes` is the provider's clock: its session counts the audio it was given, nothing else."""

    __slots__ = (
        "_is_open",
        "_kept",
        "out",
        "session_bytes",
    )

    def __init__(self) -> None:
        self.out: list[str] = []
        self.session_bytes = 0
        self._is_open = False
        self._kept = KeptAudio()

    def hear(self, payload: str, size: int, /) -> None:
        """Base64 µ-law of `size` bytes, safe to stand in a JSON string."""
        if self._is_open:
            self.session_bytes += size
            self.out.append(_APPEND + payload + '"}')
            return
        self._kept.keep(payload, size)

    def open(self) -> None:
        """The session may hear: first what was kept."""
        self._is_open = True
        for payload, size in self._kept.take():
            self.hear(payload, size)

    def close(self) -> None:
        self._is_open = False
        self.session_bytes = 0
        self.out.clear()
