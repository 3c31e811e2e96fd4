"""The audio formats of a session, converted from and to the 8 kHz 16-bit samples that the simulator works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voiceapp.simulators import mulaw
from voiceapp.simulators.model.resampling import Downsampler, upsample

_PCM_RATE = 24000


def _alaw_table() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype("<i2")


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
        if self.kind == "audio/pcma":
            nearest = np.searchsorted((_STEPS[1:] + _STEPS[:-1]) // 2, np.frombuffer(pcm_8k, dtype="<i2"))
            return _ORDER[nearest].astype(np.uint8).tobytes()
        return upsample(pcm_8k, _PCM_RATE)


class AudioDecoder:
    """Decodes the caller's audio into 8 kHz samples; the state of the filter is kept between chunks."""

    def __init__(self, format_: AudioFormat) -> None:
        self._format = format_
        self._downsampler = Downsampler(_PCM_RATE)

    def decode(self, raw: bytes) -> bytes:
        if self._format.kind == "audio/pcmu":
            return mulaw.decode(raw)
        if self._format.kind == "audio/pcma":
            sample: NDArray[np.int16] = _ALAW_TO_PCM[np.frombuffer(raw, dtype=np.uint8)]
            return sample.tobytes()
        return self._downsampler.convert(raw)
