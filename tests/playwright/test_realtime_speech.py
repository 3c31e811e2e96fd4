"""Alice orders by voice over WebRTC at a phone's width: only her microphone's sound and one key go in."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agents.organizations.models import Membership, Organization
from recordings.finishing.audio import RATE, read_channel
from recordings.finishing.runs import finish_due
from recordings.models import Recording
from sessions.calls.models import Call, TranscriptLine, Turn
from sessions.orders.models import Order
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests.servers import free_port
from voiceapp.tests.waiting import soon
from voiceapp.tests.web import web_process

from .conftest import CHROMIUM, Desk
from .microphone import browser_with_microphone, speech_file

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.waits,
    pytest.mark.timeout(240),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

KEY = "sk-of-the-call-page"
# The first sentence comes after the greeting; the second one interrupts the answer to it.
SENTENCES = (
    ("What pizzas do you have?", 2.5),
    ("Two small funghi and a tiramisu, please.", 9),
    ("That's all.", 12),
    ("Yes, please.", 20),
)
GREETED_WITHIN_S = 9
WITHIN_MS = 60_000
STEPS_PER_S = 20
# Mean amplitude of 16-bit samples: a voice is above it.
LOUD = 200
SILENT_WITHIN_MS = 300
CAPTION_WITHIN_MS = 300
# Keeps when each event of the provider came, when the page showed what, and when it was loud.
WATCH = """
window.watched = {events: [], shown: [], loud: [], said: [], violations: []};
const now = () => performance.now();
addEventListener("securitypolicyviolation", (violation) => watched.violations.push(violation.violatedDirective));
const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...details) {
    const channel = create.apply(this, details);
    channel.addEventListener("message", ({data}) => watched.events.push([now(), JSON.parse(data)]));
    return channel;
};
addEventListener("DOMContentLoaded", () => {
    const see = () => watched.shown.push([now(), document.getElementById("conversation-card").innerText]);
    const all = {childList: true, subtree: true, characterData: true};
    new MutationObserver(see).observe(document.getElementById("conversation-card"), all);
});
const hear = (stream, kept) => {
    const context = new AudioContext();
    const meter = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(meter);
    const samples = new Float32Array(256);
    setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        if (samples.some((each) => Math.abs(each) > 0.01)) kept.push(now());
    }, 5);
};
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    hear(stream, watched.said);
    return stream;
};
const look = setInterval(() => {
    const sound = document.getElementById("call")?.way?.sound;
    if (!sound) return;
    clearInterval(look);
    hear(sound, watched.loud);
}, 20);
"""


@pytest.fixture
def bella_napoli(transactional_db: None) -> Organization:
    call_command("seed_demo", "--json")
    return Organization.objects.get(slug="bella-napoli")


@pytest.fixture
def product(bella_napoli: Organization, tmp_path: Path) -> Iterator[str]:
    """The web process on the tests' database, with the simulated OpenAI."""
    with running_openai(keys=[KEY]) as openai:
        environment = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url, "RECORDINGS_DIR": str(tmp_path)}
        with web_process(tmp_path, free_port(), environment) as address:
            yield address
        assert openai.live_calls == 0


@contextlib.contextmanager
def call_page(address: str, organization: Organization, settings: Settings, microphone: Path) -> Iterator[Desk]:
    alice = User.objects.create_user("alice", is_staff=True)
    Membership.objects.create(organization=organization, user=alice, role="owner")
    client = Client()
    client.force_login(alice)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with browser_with_microphone(microphone) as browser:
        context = browser.new_context(permissions=["microphone"], viewport={"width": 390, "height": 844})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
        desk = Desk(context.new_page(), address)
        desk.page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
        desk.page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        desk.page.add_init_script(WATCH)
        desk.open(f"/call/{organization.slug}")
        try:
            yield desk
        finally:
            context.close()


def test_an_order_is_placed_by_voice_and_the_agent_is_interrupted(
    product: str, bella_napoli: Organization, settings: Settings, tmp_path: Path
) -> None:
    microphone = speech_file(tmp_path / "caller.wav", *SENTENCES, before_s=GREETED_WITHIN_S)
    with call_page(product, bella_napoli, settings, microphone) as desk:
        page = desk.page
        page.get_by_label("Record this call").check()
        page.locator("#begin").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#order-submitted")).to_contain_text("was sent", timeout=WITHIN_MS)
        expect(page.locator("#recording")).to_have_text("Recording")
        assert desk.faults_of_access() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        order = Order.objects.get()
        expect(page.locator("#order-submitted")).to_contain_text(str(order.total))
        check_the_interruption(page)
        check_the_captions(page)
        page.get_by_role("button", name="End call").click()
        summary = page.locator("#summary")
        expect(summary).to_contain_text("Response times", timeout=WITHIN_MS)
        expect(summary).to_contain_text(f"Order {order.number}: {order.total} EUR.")
        assert page.evaluate("watched.violations") == []
        assert desk.complaints == []
    call = Call.objects.get()
    assert (call.state, call.organization, order.call) == ("completed", bella_napoli, call)
    prices = [line.price for line in order.lines.all()]
    assert (len(prices), order.total) == (2, sum(prices))
    said = " ".join(TranscriptLine.objects.filter(call=call, speaker="caller").values_list("text", flat=True))
    assert "funghi" in said.lower()
    assert Turn.objects.filter(call=call, response_ms__isnull=False).count() >= 3
    assert call.interruptions >= 1
    check_the_recording(call, microphone, settings, tmp_path)


def check_the_recording(call: Call, microphone: Path, settings: Settings, folder: Path) -> None:
    """What Alice agreed to: both voices, each on its side."""
    settings.RECORDINGS_DIR, settings.FINISHING_DIR = str(folder), str(folder / "finishing")
    settings.LIVEKIT_RECORDING_BUCKET = ""
    soon(lambda: Recording.objects.filter(state="storing").exists())
    assert finish_due() == 1
    recording = Recording.objects.get()
    assert (recording.call, recording.source, recording.state) == (call, "page", "stored")
    caller, agent = (loudness(b"".join(read_channel(folder / recording.key, channel=lane))) for lane in (0, 1))
    with wave.open(str(microphone)) as file:
        rate, spoken = file.getframerate(), file.readframes(file.getnframes())
    said = loudness(spoken, samples_per_step=rate // STEPS_PER_S)
    assert likeness(caller, said) > 0.8
    assert likeness(agent, said) < 0.5
    assert agent.max() > 4 * LOUD
    # The player finds what was said where it was said.
    for line in TranscriptLine.objects.filter(call=call, speaker="agent").exclude(text="")[:3]:
        at = (line.spoken_at_ms - recording.starts_at_ms) * STEPS_PER_S // 1000
        assert agent[max(at - STEPS_PER_S, 0) : at + STEPS_PER_S].max() > LOUD, line.text


def loudness(samples: bytes, *, samples_per_step: int = RATE // STEPS_PER_S) -> np.ndarray:
    """The mean amplitude of each step."""
    values = np.abs(np.frombuffer(samples, np.int16).astype(float))
    steps = values[: len(values) // samples_per_step * samples_per_step].reshape(-1, samples_per_step)
    return np.asarray(steps.mean(axis=1))


def likeness(heard: np.ndarray, said: np.ndarray) -> float:
    """The best correlation of two loudnesses, wherever the one begins in the other: 1 for the same."""
    heard, said = ((each > LOUD).astype(float) - (each > LOUD).mean() for each in (heard, said))
    return float(np.correlate(heard, said, "full").max() / max(np.linalg.norm(heard) * np.linalg.norm(said), 1e-9))


def check_the_interruption(page: Page) -> None:
    """Alice spoke while the agent was heard: the page was silent in time, and says so in the caption."""
    loud: list[float] = page.evaluate("watched.loud")
    said: list[float] = page.evaluate("watched.said")
    events: list[tuple[float, dict[str, Any]]] = page.evaluate("watched.events")
    spoke_at = [at for at, event in events if event["type"] == "input_audio_buffer.speech_started"]
    spoke_into = [at for at in spoke_at if any(at - 100 < each < at for each in loud)]
    assert spoke_into, "no interruption"
    for at in spoke_into:
        began_at = min(each for each in said if at - 1000 < each)
        heard_for_ms = max(each for each in loud if each < at + 600) - began_at
        assert heard_for_ms < SILENT_WITHIN_MS, "after Alice's first sound"
    expect(page.get_by_role("log").locator(".cut").first).to_contain_text("(interrupted)")


def check_the_captions(page: Page) -> None:
    """Each final text of the provider was on the page in time."""
    events: list[tuple[float, dict[str, Any]]] = page.evaluate("watched.events")
    shown: list[tuple[float, str]] = page.evaluate("watched.shown")
    final = ("response.output_audio_transcript.done", "conversation.item.input_audio_transcription.completed")
    said = [(at, " ".join(event["transcript"].split())) for at, event in events if event["type"] in final]
    assert len(said) > 5
    for at, text in said:
        first = next(when for when, page_text in shown if when >= at - 1 and text in " ".join(page_text.split()))
        assert first - at < CAPTION_WITHIN_MS, text
