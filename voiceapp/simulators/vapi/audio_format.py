"""The audio of a call's socket: raw µ-law at 8 kHz, or 16-bit little-endian samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceapp.simulators import mulaw
from voiceapp.simulators.model.resampling import Downsampler, upsample

FORMATS = ("pcm_s16le", "mulaw")
SAMPLE_RATES = {"pcm_s16le": (8000, 16000, 24000), "mulaw": (8000,)}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """`transport.audioFormat`."""

    format: str = "pcm_s16le"
    sample_rate: int = 16000

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> AudioFormat:
        """From a validated request; without a format it is VAPI's default."""
        if not given:
            return cls()
        kind = str(given.get("format", "pcm_s16le"))
        return cls(kind, int(given.get("sampleRate") or (8000 if kind == "mulaw" else 16000)))

    @property
    def bytes_per_ms(self) -> int:
        return 8 if self.format == "mulaw" else 2 * self.sample_rate // 1000

    def encode(self, pcm_8k: bytes) -> bytes:
        return mulaw.encode(pcm_8k) if self.format == "mulaw" else upsample(pcm_8k, self.sample_rate)

    def decoder(self) -> Callable[[bytes], bytes]:
        """A function from received audio to 8 kHz samples; it keeps the state of its filter."""
        return mulaw.decode if self.format == "mulaw" else Downsampler(self.sample_rate).convert

    def shown(self) -> dict[str, Any]:
        return {"format": self.format, "container": "raw", "sampleRate": self.sample_rate}
