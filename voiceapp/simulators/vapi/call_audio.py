"""The recording of a call: the customer and the assistant on one timeline, as two channels or mixed."""

from __future__ import annotations

import io
import secrets
import time
import wave

import numpy as np

RATE = 8000
_BYTES_PER_S = RATE * 2
# How long the signed addresses work.
SIGNED_FOR_S = 1800


class CallAudio:
    """Its clock begins with the call. `signature`: what the signed addresses end with."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._customer, self._assistant = bytearray(), bytearray()
        self._has_heard = False
        self.signature = secrets.token_urlsafe(24)
        self.ended_s: float | None = None

    def hear(self, pcm_8k: bytes) -> None:
        """The customer's audio: the first of it stands where it arrived, the rest follows without gaps."""
        if not self._has_heard:
            self._has_heard = True
            _pad(self._customer, self._now_bytes() - len(pcm_8k))
        self._customer += pcm_8k

    def speak(self, pcm_8k: bytes, *, began_s: float) -> None:
        """What was played of the assistant; `began_s` on the clock of `time.monotonic`."""
        _pad(self._assistant, _whole(began_s - self._began_s))
        self._assistant += pcm_8k

    def end(self) -> None:
        self.ended_s = time.monotonic()
        whole = max(self._now_bytes(), len(self._customer), len(self._assistant))
        for channel in (self._customer, self._assistant):
            _pad(channel, whole)

    def wav(self, *, is_stereo: bool) -> bytes:
        """16-bit samples; in stereo the customer first."""
        length = min(len(self._customer), len(self._assistant)) // 2 * 2
        sides = [np.frombuffer(bytes(each[:length]), "<i2") for each in (self._customer, self._assistant)]
        samples = np.column_stack(sides) if is_stereo else (sides[0].astype("<i4") + sides[1]) // 2
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(2 if is_stereo else 1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(samples.astype("<i2").tobytes())
        return file.getvalue()

    def _now_bytes(self) -> int:
        return _whole(time.monotonic() - self._began_s)


def _whole(seconds: float) -> int:
    """In bytes, of whole samples."""
    return max(round(seconds * _BYTES_PER_S) // 2 * 2, 0)


def _pad(channel: bytearray, to_bytes: int) -> None:
    channel += bytes(max(to_bytes // 2 * 2 - len(channel), 0))
