"""G.711 µ-law, the sound of a telephone line: 8,000 bytes a second, each a logarithmic sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BIAS = 0x84
_CLIP = 32635


def _decoding_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code & 0x70) >> 4)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


def _encoding_table() -> NDArray[np.uint8]:
    sample = np.arange(65536, dtype=np.int32).astype("<u2").view("<i2").astype(np.int32)
    biased = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    code: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return code


_TO_PCM = _decoding_table()
_TO_ULAW = _encoding_table()


def encode(pcm_s16le: bytes) -> bytes:
    """16-bit little-endian samples → one byte a sample."""
    code: NDArray[np.uint8] = _TO_ULAW[np.frombuffer(pcm_s16le, dtype="<u2")]
    return code.tobytes()


def decode(ulaw: bytes) -> bytes:
    """One byte a sample → 16-bit little-endian samples."""
    sample: NDArray[np.int16] = _TO_PCM[np.frombuffer(ulaw, dtype=np.uint8)]
    return sample.tobytes()
