"""Alice on the call page's phone line: only her microphone's sound goes in, and what she hears is measured."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.models import Call, TranscriptLine, Turn
from sessions.orders.models import Order
from telephony.live.dialer_call import DialerCall
from telephony.live.registry import live_calls
from telephony.live.tests.conftest import address, openai, product, server_socket, serving_here
from telephony.live.tests.dialer import session_of
from voiceapp.core.http.websocket_protocol import DirectWebSocketProtocol

from .call_pages import KEEP_STATES
from .conftest import CHROMIUM
from .microphone import browser_with_microphone, speech_file

__all__ = ["address", "openai", "product", "server_socket", "serving_here"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.waits,
    pytest.mark.timeout(240),
    # whitenoise reads files in one piece
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
WITHIN_MS = 20_000
ORDERED_WITHIN_S = 100
SENTENCES = ("Hi, two small funghi and a tiramisu, please.", "That's all.", "Yes, please.")
# When the agent was heard and when the caller was, in ms of the page's clock; and what was cleared.
MEASURE = """() => {
    const way = document.getElementById("call").way;
    const meter = new AnalyserNode(way.sound.context, { fftSize: 256 });
    way.sound.connect(meter);
    const samples = new Float32Array(meter.fftSize);
    window.loud = [];
    setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        if (Math.max(...samples.map(Math.abs)) > 0.01) window.loud.push(performance.now());
    }, 5);
}"""
HAS_SOUND = "document.getElementById('call').way?.sound != null"
# Every message of the socket with the time at which it came.
LISTEN = """
    const Socket = window.WebSocket;
    window.messages = [];
    window.requested = [];
    const request = window.fetch;
    window.fetch = (address, ...more) => {
        if (String(address).includes("/calls/")) window.requested.push(String(address));
        return request(address, ...more);
    };
    window.WebSocket = class extends Socket {
        constructor(...all) {
            super(...all);
            this.addEventListener("message", ({ data }) => {
                const { event } = JSON.parse(data);
                window.messages.push([performance.now(), event]);
            });
        }
        send(text) {
            const { event, ...more } = JSON.parse(text);
            if (event !== "media") window.messages.push([performance.now(), "sent " + event, more]);
            super.send(text);
        }
    };
"""
OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def bella_napoli(product: str) -> Organization:
    call_command("seed_demo", "--json")
    return Organization.objects.get(slug="bella-napoli")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says."""
    return []


@pytest.fixture
def open_page(
    product: str, bella_napoli: Organization, settings: Settings, tmp_path: Path, complaints: list[str]
) -> OpenPage:
    @contextlib.contextmanager
    def opened(*sentences: str, **silences_s: float) -> Iterator[Page]:
        session = session_of("alice", bella_napoli)
        with browser_with_microphone(speech_file(tmp_path / "caller.wav", *sentences, **silences_s)) as browser:
            context = browser.new_context(permissions=["microphone"])
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": product}])
            context.add_init_script(LISTEN)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{product}/call/{bella_napoli.slug}?way=dialer")
            page.evaluate(KEEP_STATES)
            page.get_by_role("button", name="Call", exact=True).click()
            page.wait_for_timeout(100)
            try:
                yield page
            finally:
                context.close()

    return opened


def until(page: Page, claim: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Asked from here: the page's policy forbids Playwright to wait within it."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if found := claim():
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"{what}: {page.locator('#call').inner_text()}")


def test_an_order_is_placed_by_voice(open_page: OpenPage, bella_napoli: Organization, complaints: list[str]) -> None:
    with open_page(*SENTENCES, before_s=9, pause_s=11) as page:
        order: Order = until(page, Order.objects.first, within_s=ORDERED_WITHIN_S, what="no order")
        log = page.get_by_role("log")
        expect(log.locator("[data-speaker=caller]").first).to_contain_text("funghi", ignore_case=True)
        expect(log.locator("[data-speaker=agent]").first).to_contain_text("Bella Napoli")
        expect(page.locator("#order-submitted")).to_contain_text(str(order.total), timeout=WITHIN_MS)
        expect(page.locator("#order-lines li")).to_have_count(2)
        states = page.evaluate("window.states")
        assert {"Writing the order…", "Sending the order…"} <= set(states), states
        assert page.evaluate("window.requested") == []  # all comes on the socket
        page.get_by_role("button", name="End call").click()
        expect(page.locator("#summary")).to_be_visible(timeout=WITHIN_MS)
    call = Call.objects.get(orders=order)
    assert (call.state, call.kind, call.organization) == ("completed", "browser", bella_napoli)
    assert [(line.quantity, line.item, line.size) for line in order.lines.all()] == [
        (2, "Funghi", "small"), (1, "Tiramisu", ""),
    ]  # fmt: skip
    assert order.total == Decimal("22.00")
    said = " ".join(TranscriptLine.objects.filter(call=call, speaker="caller").values_list("text", flat=True))
    assert "funghi" in said.lower()
    assert Turn.objects.filter(call=call, response_ms__isnull=False).count() >= 2
    assert complaints == []


def test_an_interrupted_agent_is_silent_within_300_ms(open_page: OpenPage, complaints: list[str]) -> None:
    with open_page(*["What pizzas do you have?"] * 4, before_s=4, pause_s=4) as page:
        until(
            page, lambda: page.evaluate("document.getElementById('call').way?.sound != null"), within_s=10, what="way"
        )
        page.evaluate(MEASURE)
        events = "window.messages.map(([at, event]) => [at, event])"
        until(page, lambda: "clear" in [event for _, event in page.evaluate(events)], within_s=30, what="no clear")
        page.wait_for_timeout(400)
        cleared_at = next(at for at, event in page.evaluate(events) if event == "clear")
        loud = page.evaluate("window.loud")
        assert [at for at in loud if cleared_at - 500 < at < cleared_at], "the agent was not heard before"
        assert [at for at in loud if cleared_at + 300 < at < cleared_at + 400] == []
        log = page.get_by_role("log")
        expect(log.locator("[data-speaker=agent]").first).to_be_visible()
        page.get_by_role("button", name="End call").click()
        expect(page.locator("#summary")).to_be_visible(timeout=WITHIN_MS)
    call = Call.objects.get()
    assert call.interruptions >= 1
    assert call.lines.filter(speaker="agent", is_cut=True).exists()
    assert complaints == []


def break_line(page: Page) -> None:
    """The connection is reset under the call, and the page opens another one."""
    call = live_calls.find(Call.objects.get().pk)
    assert isinstance(call, DialerCall)
    assert isinstance(call._line._socket, DirectWebSocketProtocol)
    call._loop.call_soon_threadsafe(call._line._socket.transport.abort)
    events = "window.messages.map(([at, event]) => event)"
    until(page, lambda: "returned" in page.evaluate(events), within_s=15, what="not returned")


def test_keys_arrive_from_the_keypad_and_from_the_keyboard_also_after_the_line_broke(
    open_page: OpenPage, complaints: list[str]
) -> None:
    with open_page(before_s=1) as page:
        expect(page.get_by_role("group", name="Keypad")).to_be_visible(timeout=WITHIN_MS)
        page.get_by_role("button", name="5", exact=True).click()
        log = page.get_by_role("log")
        expect(log).to_contain_text("[The caller pressed 5]", timeout=WITHIN_MS)
        break_line(page)
        assert "Connection lost. Trying again…" in page.evaluate("window.states")
        page.keyboard.press("9")
        expect(log).to_contain_text("[The caller pressed 9]", timeout=WITHIN_MS)
        page.get_by_role("button", name="End call").click()
        expect(page.locator("#summary")).to_be_visible(timeout=WITHIN_MS)
    call = Call.objects.get()
    said = call.lines.filter(speaker="caller").values_list("text", flat=True)
    assert list(said) == ["[The caller pressed 5]", "[The caller pressed 9]"]
    assert (call.state, call.events.filter(kind="line_returned").count()) == ("completed", 1)
    assert complaints == []
