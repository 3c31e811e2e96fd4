"""A synthesiser for the telephone: espeak-ng through ctypes, in the telephone's 8 kHz.

The library keeps its state in globals, so one lock serializes every call; a sentence takes a few milliseconds.
"""

from __future__ import annotations

import ctypes
import threading
from functools import lru_cache
from pathlib import Path

import espeakng_loader
import numpy as np

SAMPLE_RATE = 8000

_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_RATE, _PITCH = 1, 3
_IPA = 0x02
_EDGE = 2205  # samples of silence around the sound while it is resampled, so that its ends do not meet

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Engine:
    """The one espeak-ng of this process. Not thread-safe: callers hold `_lock`."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        home = str(Path(espeakng_loader.get_data_path()).parent)
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, home.encode(), _DO_NOT_EXIT))
        if self.rate <= 0:
            raise RuntimeError("espeak-ng found no voice data")
        self._pieces: list[bytes] = []
        self._callback = _Callback(self._collect)  # kept: the library holds a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)
        self.voice = ""

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    def choose(self, voice: str) -> None:
        if voice == self.voice:
            return
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self.voice = voice

    def say(self, text: str, *, words_per_minute: int, pitch: int) -> bytes:
        self._pieces.clear()
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        raw = text.encode()
        self._library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, _UTF8, None, None)
        return b"".join(self._pieces)

    def phonemes(self, text: str) -> str:
        pointer = ctypes.c_char_p(text.encode())
        found: list[str] = []
        while pointer.value:
            spoken = self._library.espeak_TextToPhonemes(ctypes.byref(pointer), _UTF8, _IPA | (ord(" ") << 8))
            found.append((spoken or b"").decode())
        return " ".join(found)


_lock = threading.Lock()
_engines: list[_Engine] = []


def _engine() -> _Engine:
    if not _engines:
        _engines.append(_Engine())
    return _engines[0]


def say(text: str, *, voice: str = "en-us", words_per_minute: int = 165, pitch: int = 50) -> bytes:
    """Speak: 8 kHz mono s16le. `voice` is espeak-ng's, with a variant if wished (`en-us+f3`)."""
    if not text.strip():
        return b""
    with _lock:
        engine = _engine()
        engine.choose(voice)
        pcm, rate = engine.say(text, words_per_minute=words_per_minute, pitch=pitch), engine.rate
    return _resampled(pcm, rate)


@lru_cache(maxsize=4096)
def phonemes(word: str) -> str:
    """How the synthesiser pronounces it: IPA, one phoneme after another with blanks between, stress marks kept."""
    with _lock:
        engine = _engine()
        engine.choose("en-us")
        return engine.phonemes(word)


def _resampled(pcm: bytes, rate: int) -> bytes:
    """Cut to the telephone's band (full to 3,500 Hz, nothing from 3,900 Hz) and 8,000 samples a second, by Fourier."""
    sound = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if not len(sound):
        return b""
    whole = -(-(len(sound) + 2 * _EDGE) // _EDGE) * _EDGE  # a length that the transform likes
    sound = np.pad(sound, (_EDGE, whole - len(sound) - _EDGE))
    kept = whole * SAMPLE_RATE // rate
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / rate)
    spectrum *= 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 3500) / 400, 0, 1))
    narrow = np.fft.irfft(spectrum[: kept // 2 + 1], kept) * (kept / len(sound))
    start = _EDGE * SAMPLE_RATE // rate
    heard = narrow[start : start + len(pcm) // 2 * SAMPLE_RATE // rate]
    return np.clip(np.round(heard), -32768, 32767).astype("<i2").tobytes()
