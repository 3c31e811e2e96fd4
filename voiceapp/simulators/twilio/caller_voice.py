"""The audio of a person on the phone: queued speech, frame by frame, over the faint noise of a phone line."""

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
class SpokenText:
    """`began_ms` to `ended_ms` are its voiced frames on the line's clock, once it is spoken."""

    text: str
    frames: int
    voiced_from_ms: int
    voiced_to_ms: int
    began_ms: int | None = None
    ended_ms: int | None = None
    is_done: bool = False


class CallerVoice:
    def __init__(self, *, noise: bool = True) -> None:
        self._noise = noise_frames() if noise else [SILENCE]
        self._queue: deque[tuple[bytes, SpokenText]] = deque()
        self._frame = 0
        self.spoken: list[SpokenText] = []

    @property
    def is_speaking(self) -> bool:
        return bool(self._queue)

    def say(self, audio: bytes, *, text: str = "") -> SpokenText:
        """Queue µ-law after the speech that is already queued."""
        frames = [audio[start : start + FRAME_BYTES] for start in range(0, len(audio), FRAME_BYTES)]
        if frames:
            frames[-1] += SILENCE[len(frames[-1]) :]
        voiced = [index for index, frame in enumerate(frames) if is_voiced(frame)]
        first, last = (voiced[0], voiced[-1] + 1) if voiced else (0, len(frames))
        spoken = SpokenText(text, len(frames), first * FRAME_MS, last * FRAME_MS, is_done=not frames)
        self._queue.extend((frame, spoken) for frame in frames)
        self.spoken.append(spoken)
        return spoken

    def stop(self) -> None:
        """Drop the queued speech, even in the middle of a word."""
        for _frame, spoken in self._queue:
            spoken.is_done = True
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
            spoken.is_done = True
        return frame


@lru_cache(maxsize=1)
def noise_frames() -> list[bytes]:
    """Five seconds of comfort noise near -70 dBFS, always the same."""
    noise = np.random.default_rng(8000).normal(0, _NOISE_AMPLITUDE, _NOISE_FRAMES * FRAME_BYTES)
    sound = mulaw.encode(np.round(noise).astype("<i2").tobytes())
    return [sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES)]


@lru_cache(maxsize=512)
def synthesize(text: str, *, voice: str = "en-us", words_per_minute: int = 165, pitch: int = 50) -> bytes:
    """Speech as µ-law with the noise of the line. It takes milliseconds: do not call it on the event loop."""
    return with_noise(speech.say(text, voice=voice, words_per_minute=words_per_minute, pitch=pitch))


def with_noise(pcm_s16le: bytes) -> bytes:
    """8 kHz samples → µ-law with the noise of the line."""
    samples = np.frombuffer(pcm_s16le, "<i2").astype(np.float64)
    noise = np.random.default_rng(len(samples)).normal(0, _NOISE_AMPLITUDE, len(samples))
    return mulaw.encode(np.clip(np.round(samples + noise), -32768, 32767).astype("<i2").tobytes())
