"""The dialer's sound, sample by sample in the browser's own engine: no sound card, no clock."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from .conftest import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
RATES = [48_000, 44_100, 16_000]
HELPERS = """
const { PhoneLine } = await import("/static/voiceapp/call/phone_line.mjs");
const { fromUlaw, toUlaw } = await import("/static/voiceapp/call/telephone_audio.mjs");
const sine = (hertz, rate, count) =>
    Float32Array.from({ length: count }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate) / 2);
const ulaw = (samples) => Uint8Array.from(samples, toUlaw);
const loudness = (samples) => Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length);
const reports = [];
const line = new PhoneLine(rate, (report) => reports.push({ ...report, at: line.played }));
const run = (count, microphone = null) => {
    const heard = [];
    for (let place = 0; place + 128 <= count; place += 128) {
        const speaker = new Float32Array(128);
        line.process(microphone ? [microphone.slice(place, place + 128)] : [], speaker);
        heard.push(...speaker);
    }
    return heard;
};
"""


@pytest.fixture
def evaluate(browser: Browser, live_server: LiveServer) -> Any:
    """Runs a script with a line at some rate in a page of ours, under its content policy."""
    page = browser.new_page()
    page.goto(f"{live_server.url}/health")
    yield lambda rate, script: page.evaluate(f"async (rate) => {{ {HELPERS} {script} }}", rate)
    page.close()


@pytest.mark.parametrize("rate", RATES)
def test_a_mark_is_confirmed_when_its_sound_has_been_heard(evaluate: Any, rate: int) -> None:
    first, second, cleared = evaluate(
        rate,
        """
        line.receive({ play: ulaw(sine(440, 8000, 8000)) });
        line.receive({ mark: "first", latencyS: 0 });
        line.receive({ play: ulaw(sine(440, 8000, 4000)) });
        line.receive({ mark: "second", latencyS: 0.05 });
        run(2 * rate);
        line.receive({ mark: "nothing is queued", latencyS: 0 });
        run(rate / 20);
        return reports.filter(({ mark }) => mark).map(({ at }) => at / rate);
        """,
    )
    block_s = 128 / rate
    assert 1.0 <= first <= 1.0 + 2 * block_s
    assert 1.55 <= second <= 1.55 + 2 * block_s
    assert cleared <= 2.01


def test_a_clear_silences_at_once_and_confirms_what_it_drops(evaluate: Any) -> None:
    before, after, marks, again = evaluate(
        48_000,
        """
        line.receive({ play: ulaw(sine(440, 8000, 8000)) });
        line.receive({ mark: "a", latencyS: 0 });
        line.receive({ play: ulaw(sine(440, 8000, 8000)) });
        line.receive({ mark: "b", latencyS: 0 });
        const before = loudness(run(24000).slice(-4800));
        line.receive({ clear: true });
        const marks = reports.map(({ mark }) => mark).filter(Boolean);
        const after = Math.max(...run(4800).map(Math.abs));
        line.receive({ play: ulaw(sine(440, 8000, 8000)) });
        return [before, after, marks, loudness(run(24000).slice(-4800))];
        """,
    )
    assert before == pytest.approx(0.354, rel=0.03)
    assert after == 0
    assert marks == ["a", "b"]
    assert again == pytest.approx(before, rel=0.01)


@pytest.mark.parametrize("rate", RATES)
def test_the_microphone_leaves_as_clean_telephone_frames(evaluate: Any, rate: int) -> None:
    frames, sizes, voice, alias = evaluate(
        rate,
        """
        const frames = (hertz) => {
            reports.length = 0;
            run(2 * rate, sine(hertz, rate, 2 * rate));
            return reports.filter(({ frame }) => frame).map(({ frame }) => frame);
        };
        const level = (frames) => loudness(frames.slice(10).flatMap((frame) => [...frame].map(fromUlaw)));
        const voice = frames(1000), alias = frames(5500);
        return [voice.length, [...new Set(voice.map((frame) => frame.length))], level(voice), level(alias)];
        """,
    )
    assert abs(frames - 100) <= 1
    assert sizes == [160]
    assert voice == pytest.approx(0.354, rel=0.03)
    assert alias < 0.003


def test_every_byte_is_what_it_decodes_to(evaluate: Any) -> None:
    changed = evaluate(8000, "return [...Array(256).keys()].filter((byte) => toUlaw(fromUlaw(byte)) !== byte)")
    assert changed == [0x7F]  # the other zero


def test_without_a_microphone_the_line_goes_on_in_silence(evaluate: Any) -> None:
    frames = evaluate(48_000, "run(48000); return reports.filter(({ frame }) => frame).map(({ frame }) => [...frame])")
    assert len(frames) == 49
    assert {byte for frame in frames for byte in frame} == {0xFF}
