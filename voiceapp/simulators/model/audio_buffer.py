"""The caller's audio that belongs to no turn yet."""

from __future__ import annotations

BYTES_PER_MS = 16  # 8 kHz, 16 bits
_KEPT_MS = 6000


class AudioBuffer:
    """8 kHz samples that are not part of an item yet. Times are on the clock of all audio ever received."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._start_byte = 0

    @property
    def end_ms(self) -> int:
        return (self._start_byte + len(self._audio)) // BYTES_PER_MS

    @property
    def length_ms(self) -> int:
        return len(self._audio) // BYTES_PER_MS

    def append(self, pcm_8k: bytes) -> None:
        self._audio += pcm_8k

    def take(self, start_ms: int, end_ms: int) -> bytes:
        """The audio between two times. Everything before the second one leaves the buffer."""
        begin = max(0, start_ms * BYTES_PER_MS - self._start_byte)
        end = max(0, min(end_ms * BYTES_PER_MS - self._start_byte, len(self._audio)))
        taken = bytes(self._audio[begin:end])
        self._drop(end)
        return taken

    def take_all(self) -> bytes:
        return self.take(0, self.end_ms)

    def clear(self) -> None:
        self._drop(len(self._audio))

    def drop_silence(self) -> None:
        """Silence: keep only what the padding of the next turn may need."""
        if self.length_ms > 2 * _KEPT_MS:
            self._drop(len(self._audio) - _KEPT_MS * BYTES_PER_MS)

    def _drop(self, count: int) -> None:
        del self._audio[:count]
        self._start_byte += count
