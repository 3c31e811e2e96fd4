"""The call page in a Chromium whose microphone is a file: what a caller waits for, from the first byte to captions."""

from __future__ import annotations

import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from product import HERE, ROOT

sys.path.append(str(ROOT))

from voiceapp.simulators import speech
from voiceapp.simulators.model.resampling import upsample

WITHIN_S = 20.0
LOOK_EVERY_MS = 20
RATE = 48_000
SENTENCE = "When are you open?"
# The greeting is over by then, of which the caller interrupts nothing.
SPEAKS_AFTER_S = 5
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)


@dataclass(slots=True)
class PageCall:
    """One call. `first_sound_ms`: from the click. `captions`: the delay of each text by who said it, null if it never
    came.
    """

    usable_ms: float
    bytes: int
    largest: str = ""
    parts_ms: dict[str, float] = field(default_factory=dict)
    first_sound_ms: float = 0.0
    captions: dict[str, list[float | None]] = field(default_factory=dict)


def play(server: str, path: str, session: str, *, chromium: Path, folder: Path, calls: int) -> list[PageCall]:
    """One after the other, each with a cold cache; in the last one the caller says something, too."""
    with _chromium(chromium, _microphone(folder / "caller.wav")) as browser:
        return [_call(browser, server, path, session, talks=number == calls - 1) for number in range(calls)]


def _call(browser: Browser, server: str, path: str, session: str, *, talks: bool) -> PageCall:
    context = browser.new_context(permissions=["microphone"])
    context.add_cookies([{"name": "sessionid", "value": session, "url": server}])
    page = context.new_page()
    page.add_init_script(path=HERE / "call_page_watch.js")
    page.goto(server + path)
    _until(page, "watched.usableAt")
    page.wait_for_load_state("networkidle")
    usable_ms = page.evaluate("watched.usableAt - performance.timeOrigin")
    call = PageCall(usable_ms=usable_ms, bytes=page.evaluate("loadedBytes()"), largest=page.evaluate("largestLoaded()"))
    page.locator("#begin").click()
    _until(page, "watched.heardAt")
    _read(page, call)
    if talks:
        _until(page, "captionDelays().some(({who}) => who === 'caller')")
        _until(page, "watched.events.at(-1).type === 'output_audio_buffer.stopped'")
    for delay in page.evaluate("captionDelays()"):
        call.captions.setdefault(delay["who"], []).append(delay["ms"])
    page.locator("#end").click()
    _until(page, "document.getElementById('call').dataset.state === 'ended'")
    context.close()
    return call


def _until(page: Page, holds: str) -> None:
    """Raises SystemExit if it does not become true. Playwright's own wait needs what the policy of the page forbids."""
    give_up_at = time.monotonic() + WITHIN_S
    while not page.evaluate(holds):
        if time.monotonic() > give_up_at:
            raise SystemExit(f"the call page: not {holds}\n{page.locator('#call').inner_text()[:1000]}")
        page.wait_for_timeout(LOOK_EVERY_MS)


def _read(page: Page, call: PageCall) -> None:
    seen = page.evaluate("({...watched, events: [], shown: [], answeredAt: answeredAt()})")
    secret_at, answer_at = seen["answeredAt"]
    marks = [seen["clickedAt"], seen["allowedAt"], secret_at, answer_at, seen["heardAt"]]
    names = ("permission", "secret", "sdp", "first_audio")
    call.parts_ms = {name: marks[at + 1] - marks[at] for at, name in enumerate(names)}
    call.first_sound_ms = marks[-1] - marks[0]


@contextmanager
def _chromium(program: Path, microphone: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        file = f"--use-file-for-fake-audio-capture={microphone}%noloop"
        browser = playwright.chromium.launch(executable_path=program, args=(*ARGUMENTS, file))
        yield browser
        browser.close()


def _microphone(file: Path) -> Path:
    with wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(bytes(2 * RATE * SPEAKS_AFTER_S) + upsample(speech.say(SENTENCE), RATE) + bytes(20 * RATE))
    return file
