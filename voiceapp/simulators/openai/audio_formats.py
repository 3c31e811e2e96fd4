"""The audio formats of a session, converted from and to the 8 kHz 16-bit samples that the simulator works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voiceapp.simulators import mulaw

_TAPS = 48


def _low_pass() -> NDArray[np.float64]:
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    kernel = np.sinc(2 * 3600 / 24000 * at) * np.hamming(_TAPS)
    taps: NDArray[np.float64] = kernel / kernel.sum()
    return taps


def _alaw_table() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


_LOW_PASS = _low_pass()
_ALAW_TO_PCM = _alaw_table()
_ORDER = np.argsort(_ALAW_TO_PCM, kind="stable")
_STEPS = _ALAW_TO_PCM[_ORDER].astype(np.int32)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`audio/pcmu`, `audio/pcma` (8 kHz, a byte a sample) or `audio/pcm` (24 kHz s16le)."""

    kind: str = "audio/pcm"

    @classmethod
    def of(cls, format_: dict[str, Any]) -> AudioFormat:
        return cls(str(format_["type"]))

    @property
    def bytes_per_ms(self) -> int:
        return 48 if self.kind == "audio/pcm" else 8

    def encode(self, pcm_8k: bytes) -> bytes:
        if self.kind == "audio/pcmu":
            return mulaw.encode(pcm_8k)
        samples = np.frombuffer(pcm_8k, dtype="<i2")
        if self.kind == "audio/pcma":
            nearest = np.searchsorted((_STEPS[1:] + _STEPS[:-1]) // 2, samples)
            return _ORDER[nearest].astype(np.uint8).tobytes()
        return _upsampled(samples)


class AudioDecoder:
    """Decodes the caller's audio into 8 kHz samples; the state of the filter is kept between chunks."""

    def __init__(self, format_: AudioFormat) -> None:
        self._format = format_
        self._filter_state = np.zeros(_TAPS - 1)
        self._phase = 0
        self._odd = b""

    def decode(self, raw: bytes) -> bytes:
        if self._format.kind == "audio/pcmu":
            return mulaw.decode(raw)
        if self._format.kind == "audio/pcma":
            sample: NDArray[np.int16] = _ALAW_TO_PCM[np.frombuffer(raw, dtype=np.uint8)]
            return sample.tobytes()
        return self._downsampled(raw)

    def _downsampled(self, raw: bytes) -> bytes:
        raw = self._odd + raw
        self._odd = raw[len(raw) & ~1 :]
        audio = np.concatenate(
            [self._filter_state, np.frombuffer(raw[: len(raw) & ~1], dtype="<i2").astype(np.float64)]
        )
        self._filter_state = audio[len(audio) - (_TAPS - 1) :]
        if len(audio) < _TAPS:
            return b""
        low = np.convolve(audio, _LOW_PASS, mode="valid")
        kept = low[self._phase :: 3]
        self._phase = (self._phase - len(low)) % 3
        return np.clip(np.round(kept), -32768, 32767).astype("<i2").tobytes()


def _upsampled(samples: NDArray[np.int16]) -> bytes:
    if not len(samples):
        return b""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    wide = np.fft.irfft(spectrum, 3 * len(samples)) * 3
    return np.clip(np.round(wide), -32768, 32767).astype("<i2").tobytes()
