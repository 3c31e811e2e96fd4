"""Audio files for tests: WAV with the channels that are given."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt

RATE = 8000
Samples = npt.NDArray[np.int16]


def tone(seconds: float, *, loudness: int = 8000, rate: int = RATE) -> Samples:
    return (loudness * np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 440 / rate)).astype(np.int16)


def quiet(seconds: float, *, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), np.int16)


def wav(*channels: Samples, rate: int = RATE, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(len(channels))
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(np.column_stack(channels).astype("<i2").tobytes())
    return file.getvalue()
