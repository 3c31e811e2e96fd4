"""A Chromium whose microphone is a WAV file with somebody's speech."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from voiceapp.simulators import speech

from .conftest import CHROMIUM, QUIET

RATE = 48_000
SILENCE_BEFORE_S = 3


def speech_file(file: Path, *sentences: str, pause_s: float = 6) -> Path:
    """The sentences with a pause after each; Chromium plays it once."""
    parts = [np.zeros(SILENCE_BEFORE_S * RATE, np.int16)]
    for sentence in sentences:
        spoken = np.frombuffer(speech.say(sentence), np.int16)
        times = np.arange(len(spoken) * RATE // speech.SAMPLE_RATE) * speech.SAMPLE_RATE / RATE
        parts += [np.interp(times, np.arange(len(spoken)), spoken).astype(np.int16)]
        parts += [np.zeros(int(pause_s * RATE), np.int16)]
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(np.concatenate(parts).tobytes())
    return file


@contextlib.contextmanager
def browser_with_microphone(file: Path) -> Iterator[Browser]:
    arguments = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--allow-loopback-in-peer-connection",
        "--autoplay-policy=no-user-gesture-required",
        f"--use-file-for-fake-audio-capture={file}%noloop",
    )
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=(*QUIET, *arguments))
        yield browser
        browser.close()
