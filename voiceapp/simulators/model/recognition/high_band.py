"""Estimates the band above 4 kHz, which a telephone cuts off: the acoustic model was trained on wideband audio.

The energy of "s" and "f" is there: without it "five" is recognized as "nine", and a plural is missed. The energy of
four bands is linear in the energies below (of the frame and its two neighbors); they are filled with noise of that
energy. The coefficients were fitted on fifteen sentences in eight espeak-ng voices, wideband against telephone (r² 0.7
to 0.8).
"""

from __future__ import annotations

import itertools
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HOP, _WINDOW, _TRANSFORM = 160, 400, 512
_HIGH = ((4000, 4600), (4600, 5300), (5300, 6000), (6000, 7000))
_LOW_BANDS, _FROM_HZ, _TO_HZ = 14, 130, 3700
_COEFFICIENTS = Path(__file__).with_name("high_band.json")
_FRAME_NOISE = 8.0

Samples = NDArray[np.float64]


def restored(pcm_8k: bytes, *, noise: float = 30.0) -> bytes:
    """8 kHz s16le → 16 kHz s16le with an estimated upper half, and noise: silence on a phone line is not digital."""
    wide = _doubled(np.frombuffer(pcm_8k, dtype="<i2").astype(np.float64))
    random = np.random.default_rng(7)
    if len(wide) < _WINDOW:
        return bytes(wide.astype("<i2").tobytes())
    features = _features(wide + random.normal(0, _FRAME_NOISE, len(wide)))
    energies = features @ _coefficients()
    flat = float(np.log((np.hanning(_WINDOW) ** 2).sum()))
    white = np.fft.rfft(random.normal(0, 1, len(wide)))
    hertz = np.fft.rfftfreq(len(wide), 1 / 16000)
    at, centers = np.arange(len(wide)), np.arange(len(features)) * _HOP + _WINDOW / 2
    for number, (low, high) in enumerate(_HIGH):
        band = np.fft.irfft(white * ((hertz >= low) & (hertz < high)), len(wide))
        wide = wide + band * np.interp(at, centers, np.exp((energies[:, number] - flat) / 2))
    wide = wide + random.normal(0, noise, len(wide))
    return bytes(np.clip(wide, -32768, 32767).astype("<i2").tobytes())


@lru_cache(maxsize=1)
def _coefficients() -> Samples:
    return np.array(json.loads(_COEFFICIENTS.read_text(encoding="utf-8")), dtype=np.float64)


@lru_cache(maxsize=1)
def _edges() -> list[tuple[float, float]]:
    """Low bands, equally wide in mel."""
    grid = np.arange(0, 8001, 5.0)
    mel = 2595 * np.log10(1 + grid / 700)
    ends = np.interp(np.interp([_FROM_HZ, _TO_HZ], grid, mel), mel, grid)
    low_mel, high_mel = 2595 * np.log10(1 + ends / 700)
    edges = np.interp(np.linspace(low_mel, high_mel, _LOW_BANDS + 1), mel, grid).tolist()
    return list(itertools.pairwise(edges))


def _features(wide: Samples) -> Samples:
    count = (len(wide) - _WINDOW) // _HOP + 1
    frames = np.lib.stride_tricks.sliding_window_view(wide, _WINDOW)[::_HOP][:count] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, _TRANSFORM, axis=1)) ** 2
    hertz = np.fft.rfftfreq(_TRANSFORM, 1 / 16000)
    bands = [np.log(power[:, (hertz >= low) & (hertz < high)].mean(axis=1) + 1) for low, high in _edges()]
    low_energy = np.stack(bands, axis=1)
    spread = (low_energy - low_energy.mean(axis=1, keepdims=True)) ** 2 / 10
    before, after = np.vstack([low_energy[:1], low_energy[:-1]]), np.vstack([low_energy[1:], low_energy[-1:]])
    return np.hstack([low_energy, before, after, spread, np.ones((count, 1))])


def _doubled(narrow: Samples) -> Samples:
    spectrum = np.zeros(len(narrow) + 1, dtype=complex)
    low = np.fft.rfft(narrow)
    spectrum[: len(low)] = low
    wide: Samples = np.fft.irfft(spectrum, 2 * len(narrow)) * 2 if len(narrow) else narrow
    return wide
