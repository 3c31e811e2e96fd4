"""A caller's mouth: what is said goes out frame by frame, with a phone line's faint noise in and between the words."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.twilio.frames import FRAME_BYTES, FRAME_MS, SILENCE, is_voiced

_NOISE_AMPLITUDE = 12.0
_NOISE_FRAMES = 251


@dataclass(slots=True)
class Spoken:
    """One thing said. `began_ms`/`ended_ms` span its voiced frames on the line's clock, once it is said."""

    text: str
    frames: int
    voiced_from_ms: int
    voiced_to_ms: int
    began_ms: int | None = None
    ended_ms: int | None = None
    is_said: bool = False


class Mouth:
    def __init__(self, *, noise: bool = True) -> None:
        self._noise = noise_frames() if noise else [SILENCE]
        self._queue: deque[tuple[bytes, Spoken]] = deque()
        self._frame = 0
        self.spoken: list[Spoken] = []

    @property
    def is_speaking(self) -> bool:
        return bool(self._queue)

    def say(self, audio: bytes, *, text: str = "") -> Spoken:
        """Queue µ-law to be spoken as soon as what is being said has been said."""
        frames = [audio[start : start + FRAME_BYTES] for start in range(0, len(audio), FRAME_BYTES)]
        if frames:
            frames[-1] += SILENCE[len(frames[-1]) :]
        voiced = [index for index, frame in enumerate(frames) if is_voiced(frame)]
        first, last = (voiced[0], voiced[-1] + 1) if voiced else (0, len(frames))
        spoken = Spoken(text, len(frames), first * FRAME_MS, last * FRAME_MS, is_said=not frames)
        self._queue.extend((frame, spoken) for frame in frames)
        self.spoken.append(spoken)
        return spoken

    def be_silent(self) -> None:
        """Stop in the middle of the word, as a caller who hangs up."""
        for _frame, spoken in self._queue:
            spoken.is_said = True
        self._queue.clear()

    def next_frame(self) -> bytes:
        now_ms = self._frame * FRAME_MS
        self._frame += 1
        if not self._queue:
            return self._noise[self._frame % len(self._noise)]
        frame, spoken = self._queue.popleft()
        if spoken.began_ms is None:
            spoken.began_ms = now_ms + spoken.voiced_from_ms
            spoken.ended_ms = now_ms + spoken.voiced_to_ms
        if not self._queue or self._queue[0][1] is not spoken:
            spoken.is_said = True
        return frame


@lru_cache(maxsize=1)
def noise_frames() -> list[bytes]:
    """Five seconds of comfort noise near -70 dBFS, always the same."""
    noise = np.random.default_rng(8000).normal(0, _NOISE_AMPLITUDE, _NOISE_FRAMES * FRAME_BYTES)
    sound = mulaw.encode(np.round(noise).astype("<i2").tobytes())
    return [sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES)]


@lru_cache(maxsize=512)
def voice(text: str, *, voice: str = "en-us", words_per_minute: int = 165, pitch: int = 50) -> bytes:
    """Synthesised speech as µ-law over the line's noise. Takes milliseconds of work: call it off the loop."""
    return with_noise(speech.say(text, voice=voice, words_per_minute=words_per_minute, pitch=pitch))


def with_noise(pcm_s16le: bytes) -> bytes:
    """8 kHz samples → µ-law with the line's faint noise added."""
    samples = np.frombuffer(pcm_s16le, "<i2").astype(np.float64)
    noise = np.random.default_rng(len(samples)).normal(0, _NOISE_AMPLITUDE, len(samples))
    return mulaw.encode(np.clip(np.round(samples + noise), -32768, 32767).astype("<i2").tobytes())
