"""µ-law at 8 kHz: silence, a soft tone, and base64 of it."""

from __future__ import annotations

import math
from base64 import b64encode
from binascii import a2b_base64

BYTES_PER_MS = 8
SILENCE = b"\xff"
_BIAS = 0x84
_CLIP = 32_635


def decoded(payload: str) -> bytes | None:
    """The bytes of strict base64, or None."""
    try:
        return a2b_base64(payload, strict_mode=True)
    except ValueError:
        return None


def silence(lasts_ms: int) -> str:
    """Base64 of silence."""
    return b64encode(SILENCE * (lasts_ms * BYTES_PER_MS)).decode()


def encode(sample: int) -> int:
    """One 16-bit sample by G.711."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def soft_tone(lasts_ms: int = 400, hertz: int = 425, loudness: int = 1_600) -> str:
    """Base64 of a quiet tone that swells and fades, played while the caller waits."""
    count = lasts_ms * BYTES_PER_MS
    samples = (
        loudness * math.sin(math.pi * number / count) * math.sin(2 * math.pi * hertz * number / 8_000)
        for number in range(count)
    )
    return b64encode(bytes(encode(round(sample)) for sample in samples)).decode()
