"""What a WAV file holds: how long it is, and whether anybody speaks in it."""

from __future__ import annotations

import array
import io
import sys
import wave
from dataclasses import dataclass

FRAME_MS = 20
# Mean amplitude of a frame of 16-bit samples. The noise of a telephone line is below it, a whisper above.
LEAST_LOUDNESS = 120


class NoSound(ValueError):
    """The file is no WAV with 16-bit samples, or is cut off."""


@dataclass(frozen=True, slots=True)
class Sound:
    """`loud_ms`: how much of it is louder than the noise of a line."""

    duration_ms: int
    loud_ms: int


def read_sound(content: bytes) -> Sound:
    """Of the first channel. Raises NoSound."""
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            expected = file.getnframes()
            frames = file.readframes(expected)
    except (wave.Error, EOFError, ValueError) as exc:
        raise NoSound("The file is no WAV file.") from exc
    if width != 2 or not rate or not channels:
        raise NoSound("The file does not have 16-bit samples.")
    if len(frames) < expected * width * channels:
        raise NoSound("The file is cut off.")
    samples = array.array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    mono = samples[::channels]
    size = max(rate * FRAME_MS // 1000, 1)
    loud = sum(_is_loud(mono[at : at + size]) for at in range(0, len(mono), size))
    return Sound(duration_ms=len(mono) * 1000 // rate, loud_ms=loud * FRAME_MS)


def _is_loud(frame: array.array[int]) -> bool:
    return sum(map(abs, frame)) >= LEAST_LOUDNESS * len(frame)
