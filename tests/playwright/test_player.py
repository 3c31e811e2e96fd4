"""Alice hears what the caller said: a click on a line of the order plays it, and the transcript follows."""

from __future__ import annotations

import base64
import io
import wave
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, expect
from pytest_django import Settings

from recordings.models import RecordingAccess
from sessions.calls.admin.player import LIBRARY
from sessions.calls.models import Call
from sessions.orders.models import Order
from sessions.tools.briefing import brief
from voiceapp.management.demo.organization import Demo
from voiceapp.simulators.model.agent.menu import read_menu
from voiceapp.simulators.model.recognition.recognizer import recognizer_for
from voiceapp.simulators.twilio.recording import pcm_of_wav

from .conftest import CHROMIUM, Desk
from .recorded_call import make_recorded_call

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]

WITHIN_MS = 20_000
# Keeps all that the page sends to the loudspeaker.
LISTEN = """
window.heard = {rate: 0, samples: []};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
    if (to instanceof AudioDestinationNode) {
        const context = this.context;
        if (!context.tap) {
            heard.rate = context.sampleRate;
            context.tap = context.createScriptProcessor(16384, 1, 1);
            context.tap.onaudioprocess = ({inputBuffer}) => heard.samples.push(inputBuffer.getChannelData(0).slice());
            connect.call(context.tap, to);
        }
        connect.call(this, context.tap);
    }
    return connect.call(this, to, ...more);
};
"""
# As 16-bit samples in base64.
HEARD = """() => {
    const length = heard.samples.reduce((sum, each) => sum + each.length, 0);
    const samples = new Int16Array(length);
    let at = 0;
    for (const each of heard.samples) {
        for (const value of each) samples[at++] = Math.max(-1, Math.min(1, value)) * 32767;
    }
    let text = "";
    const bytes = new Uint8Array(samples.buffer);
    for (let from = 0; from < bytes.length; from += 8192) {
        text += String.fromCharCode(...bytes.subarray(from, from + 8192));
    }
    return [heard.rate, btoa(text)];
}"""
POSITION = "document.querySelector('.va-recording audio').currentTime"


@pytest.fixture
def recorded(demo: Demo, settings: Settings, tmp_path: Path) -> Call:
    return make_recorded_call(demo, settings, tmp_path)


def address_of(call: Call) -> str:
    return f"/admin/voice_sessions/call/{call.pk}/change/"


def heard_by(page: Page) -> bytes:
    """What the page has played, as the telephone would carry it."""
    rate, text = page.evaluate(HEARD)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(base64.b64decode(text))
    return pcm_of_wav(file.getvalue())


def plays_beyond(page: Page, second: float) -> None:
    page.wait_for_function(f"{POSITION} > {second}", timeout=WITHIN_MS)


def test_a_click_on_an_order_line_plays_its_words(desk: Desk, recorded: Call) -> None:
    desk.page.add_init_script(LISTEN)
    page = desk.open(address_of(recorded))
    assert desk.faults_of_access() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    recognizer = recognizer_for(read_menu(brief(recorded).instructions))
    heard = []
    # A browser that gets no processor in time plays gaps; people listen again, too.
    for _ in range(3):
        page.evaluate("heard.samples = []")
        page.get_by_role("link", name="Hear it said 1 × Tiramisu").click()
        page.wait_for_function(f"{POSITION} < 40", timeout=WITHIN_MS)
        plays_beyond(page, 42)
        page.get_by_role("button", name="Pause").click()
        heard.append(recognizer.recognize(heard_by(page)) or "")
        if "tiramisu" in heard[-1]:
            break
    assert "tiramisu" in heard[-1], heard
    line = page.locator("[aria-current=true]")
    expect(line).to_contain_text("And a tiramisu please")
    expect(line).to_be_in_viewport()
    assert "?t=39." in page.url
    # From the words back to the line of the order.
    line.get_by_role("link", name="1 × Tiramisu").click()
    expect(page.locator(":target")).to_contain_text("Tiramisu")
    assert [(each.principal, each.way) for each in RecordingAccess.objects.all()] == [("alice", "player")]
    assert desk.complaints == []


def test_from_the_order_it_takes_two_clicks(desk: Desk, recorded: Call) -> None:
    page = desk.open(f"/admin/voice_sessions/order/{Order.objects.get(call=recorded).pk}/change/")
    page.get_by_role("link", name="Hear it said 2 × small Funghi").click()
    page.wait_for_load_state("networkidle")
    play = page.get_by_role("button", name="Play", exact=True)
    if play.is_visible():  # a browser may want a click before it plays
        play.click()
    plays_beyond(page, 4)
    expect(page.locator("[aria-current=true]")).to_contain_text("Two small funghi", timeout=WITHIN_MS)


def test_it_is_operated_by_keys_and_by_times(desk: Desk, recorded: Call) -> None:
    page = desk.open(f"{address_of(recorded)}?t=12.8")
    conversation = page.get_by_role("list", name="Conversation")
    conversation.focus()
    expect(page.locator("[aria-current=true]")).to_contain_text("Anything else?")
    page.keyboard.press(".")
    expect(page.get_by_role("slider", name="Position")).to_have_attribute("aria-valuetext", "0:40 of 0:52")
    page.keyboard.press(",")
    page.keyboard.press("j")
    expect(page.locator("[aria-current=true]")).not_to_contain_text("tiramisu")
    page.keyboard.press("s")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    if page.get_by_role("button", name="Pause").count():
        page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=WITHIN_MS)
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_text("1 interruption").click()
    page.get_by_role("link", name="0:11").first.click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=WITHIN_MS)
    assert "t=11" in page.url
    assert desk.faults_of_access() == []
    assert desk.complaints == []


def test_a_failure_is_said_and_tried_again(desk: Desk, recorded: Call) -> None:
    page = desk.open(address_of(recorded))
    page.route("**/listen*", lambda route: route.abort())
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_text("The recording cannot be loaded.")).to_be_visible(timeout=WITHIN_MS)
    page.unroute("**/listen*")
    if page.get_by_role("button", name="Pause").is_visible():
        page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play", exact=True).click()
    plays_beyond(page, 0.3)
    expect(page.get_by_text("The recording cannot be loaded.")).to_be_hidden()


def test_without_the_module_the_audio_begins_at_the_second(desk: Desk, recorded: Call) -> None:
    desk.page.route("**/player*.mjs", lambda route: route.abort())
    page = desk.open(f"{address_of(recorded)}?t=41")
    audio = page.get_by_label("Recording of the call")
    expect(audio).to_be_visible()
    page.evaluate("document.querySelector('.va-recording audio').play()")
    plays_beyond(page, 41.1)
    expect(page.locator(".va-waves svg .va-lane")).to_have_count(2)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_hidden()
    page.get_by_role("link", name="0:11").last.click()
    page.wait_for_url("**t=11*")


@pytest.mark.skipif(finders.find(LIBRARY) is None, reason="no wavesurfer.js here: make wavesurfer")
def test_the_waveform_is_zoomed_by_wavesurfer(desk: Desk, recorded: Call) -> None:
    page = desk.open(address_of(recorded))
    zoom = page.get_by_role("slider", name="Zoom")
    zoom.fill("8")
    canvas = page.locator(".va-zoomed canvas").first
    expect(canvas).to_be_visible(timeout=WITHIN_MS)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert desk.faults_of_access() == []
    zoom.fill("1")
    expect(canvas).to_be_hidden()
    assert not RecordingAccess.objects.exists()
    assert desk.complaints == []
