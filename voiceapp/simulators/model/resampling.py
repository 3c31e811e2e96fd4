"""Converts between the 8 kHz samples that the model works with and 8, 16 or 24 kHz of a wire (16-bit little-endian)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_RATE = 8000
_TAPS = 48


@lru_cache(maxsize=4)
def _low_pass(rate: int) -> NDArray[np.float64]:
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    kernel = np.sinc(2 * 3600 / rate * at) * np.hamming(_TAPS)
    taps: NDArray[np.float64] = kernel / kernel.sum()
    return taps


class Downsampler:
    """`rate` is a multiple of 8000; the state of the filter is kept between chunks, which may split a sample."""

    def __init__(self, rate: int) -> None:
        self._factor, self._filter = rate // _RATE, _low_pass(rate)
        self._filter_state = np.zeros(_TAPS - 1)
        self._phase = 0
        self._odd = b""

    def convert(self, raw: bytes) -> bytes:
        raw = self._odd + raw
        self._odd = raw[len(raw) & ~1 :]
        samples = np.frombuffer(raw[: len(raw) & ~1], dtype="<i2")
        if self._factor == 1:
            return samples.tobytes()
        audio = np.concatenate([self._filter_state, samples.astype(np.float64)])
        self._filter_state = audio[len(audio) - (_TAPS - 1) :]
        if len(audio) < _TAPS:
            return b""
        low = np.convolve(audio, self._filter, mode="valid")
        kept = low[self._phase :: self._factor]
        self._phase = (self._phase - len(low)) % self._factor
        return np.clip(np.round(kept), -32768, 32767).astype("<i2").tobytes()


def upsample(pcm_8k: bytes, rate: int) -> bytes:
    """A whole sentence at a multiple of 8000 samples a second."""
    factor, samples = rate // _RATE, np.frombuffer(pcm_8k, dtype="<i2")
    if factor == 1 or not len(samples):
        return pcm_8k
    spectrum = np.fft.rfft(samples.astype(np.float64))
    wide = np.fft.irfft(spectrum, factor * len(samples)) * factor
    return np.clip(np.round(wide), -32768, 32767).astype("<i2").tobytes()
