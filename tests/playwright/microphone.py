"""A Chromium whose microphone is a WAV file with somebody's speech."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

from .conftest import CHROMIUM, QUIET

RATE = 48_000


def speech_file(file: Path, *sentences: str | tuple[str, float], before_s: float = 3, pause_s: float = 6) -> Path:
    """The sentences after a silence, with a pause after each, its own or `pause_s`; Chromium plays it once."""
    parts = [_silence(before_s)]
    for sentence in sentences:
        text, after_s = sentence if isinstance(sentence, tuple) else (sentence, pause_s)
        parts += [upsample(speech.say(text), RATE), _silence(after_s)]
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(b"".join(parts))
    return file


def _silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


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
