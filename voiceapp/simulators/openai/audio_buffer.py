"""The input audio buffer: what the caller sent and has not been made an item of yet, on the clock of all audio sent."""

from __future__ import annotations

_BYTES_PER_MS = 16  # 8 kHz, 16 bits
_KEPT_MS = 6000


class AudioBuffer:
    """8 kHz samples with the time of the first one."""

    def __init__(self) -> None:
        self._sound = bytearray()
        self._start_byte = 0

    @property
    def end_ms(self) -> int:
        return (self._start_byte + len(self._sound)) // _BYTES_PER_MS

    @property
    def waiting_ms(self) -> int:
        return len(self._sound) // _BYTES_PER_MS

    def append(self, pcm_8k: bytes) -> None:
        self._sound += pcm_8k

    def take(self, start_ms: int, end_ms: int) -> bytes:
        """The sound between two moments; everything before the second leaves the buffer."""
        begin = max(0, start_ms * _BYTES_PER_MS - self._start_byte)
        end = max(0, min(end_ms * _BYTES_PER_MS - self._start_byte, len(self._sound)))
        taken = bytes(self._sound[begin:end])
        self._drop(end)
        return taken

    def take_all(self) -> bytes:
        return self.take(0, self.end_ms)

    def clear(self) -> None:
        self._drop(len(self._sound))

    def forget_the_past(self) -> None:
        """Nobody speaks: only what a turn's padding may want is kept."""
        if self.waiting_ms > 2 * _KEPT_MS:
            self._drop(len(self._sound) - _KEPT_MS * _BYTES_PER_MS)

    def _drop(self, count: int) -> None:
        del self._sound[:count]
        self._start_byte += count
