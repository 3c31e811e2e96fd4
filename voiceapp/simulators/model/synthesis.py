"""The agent's voice: a sentence becomes audio at telephone level; repeated sentences are cached."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from voiceapp.simulators import speech

LEVEL_DB = -20.0
_VARIANTS = {
    "alloy": ("en-us+f2", 50), "ash": ("en-us+m3", 45), "ballad": ("en-us+m7", 50), "coral": ("en-us+f3", 55),
    "echo": ("en-us+m1", 45), "sage": ("en-us+f1", 50), "shimmer": ("en-us+f5", 60), "verse": ("en-us+m2", 50),
    "marin": ("en-us+f4", 50), "cedar": ("en-us+m4", 40),
}  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")


def sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]


@lru_cache(maxsize=512)
def synthesize(sentence: str, voice: str, speed: float) -> bytes:
    """8 kHz s16le at about -20 dBFS, with 100 ms of silence at the end."""
    variant, pitch = _VARIANTS.get(voice, ("en-us", 50))
    pcm = speech.say(sentence, voice=variant, words_per_minute=round(165 * speed), pitch=pitch)
    audio = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    voiced = audio[np.abs(audio) > 200]
    if len(voiced):
        loudness = np.sqrt((voiced**2).mean())
        audio = audio * (32768 * 10 ** (LEVEL_DB / 20) / loudness)
    soft = 32000 * np.tanh(audio / 32000)
    return np.concatenate([soft, np.zeros(800)]).round().astype("<i2").tobytes()


def chirp() -> bytes:
    """The response of the fault `deaf`: a rising tone of half a second."""
    at = np.arange(4000) / 8000
    return (6000 * np.sin(2 * np.pi * (500 + 600 * at) * at)).astype("<i2").tobytes()
