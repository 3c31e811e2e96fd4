"""Pictures of the call page in each state, for the README and the documentation: `make pictures` writes them.

The organization is the demo's, the conversation is fixed, and axe finds nothing serious in any state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Membership, Organization
from voiceapp.simulators.openai import OpenAISimulator

from .call_pages import KEY, MARKS, CallDesk, Refusal, StandIn, browser, open_call_page, openai

__all__ = ["browser", "openai"]

pytestmark = MARKS

# On a phone each state, at a desk these.
AT_A_DESK = ("ready", "listening", "ended")
FOLDER = Path(os.environ.get("PICTURES", "docs/images"))
GREETING = "Hello, this is Bella Napoli. What would you like to order?"
ANSWER = "Two small funghi and a tiramisu. Anything else, perhaps something to drink?"
ORDER = {
    "version": 2, "subtotal": "24.50", "tax": "0.00", "total": "24.50", "currency": "EUR",
    "lines": [
        {"line": 1, "quantity": 2, "item": "Funghi", "size": "small", "modifiers": ["extra cheese"], "note": "",
         "price": "19.00"},
        {"line": 2, "quantity": 1, "item": "Tiramisu", "size": "", "modifiers": [], "note": "", "price": "5.50"},
    ],
}  # fmt: skip
# The page would set it anew before the picture is taken.
SET_CLOCK = """() => {
    const clock = document.getElementById("clock");
    if (!clock.textContent) return;
    clock.firstChild.data = "0:12";
    Object.defineProperty(clock, "textContent", {get: () => "0:12", set() {}, configurable: true});
}"""
HOLD = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"


@pytest.fixture
def alice(transactional_db: None, live_server: LiveServer, settings: Settings) -> SetCookieParam:
    settings.OPENAI_API_KEY, settings.SIMULATORS = KEY, ["openai"]
    call_command("seed_demo", "--json")
    user = User.objects.create_user("alice", is_staff=True)
    Membership.objects.create(organization=Organization.objects.get(slug="bella-napoli"), user=user, role="owner")
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}


@pytest.fixture(params=["1280 light", "390 dark"])
def frame(
    request: pytest.FixtureRequest, browser: Browser, alice: SetCookieParam
) -> Iterator[tuple[BrowserContext, str]]:
    width, theme = request.param.split()
    context = browser.new_context(
        viewport={"width": int(width), "height": 844}, color_scheme=theme, permissions=["microphone"],
        reduced_motion="reduce",
    )  # fmt: skip
    context.add_cookies([alice])
    yield context, f"{width}-{theme}"
    context.close()


def take(desk: CallDesk, state: str, size: str) -> None:
    assert desk.faults_of_access() == [], state
    if size.startswith("1280") and state not in AT_A_DESK:
        return
    desk.page.evaluate(SET_CLOCK)
    desk.page.screenshot(path=FOLDER / f"call-page-{state}-{size}.png", full_page=size.startswith("1280"))


def converse(server: StandIn, desk: CallDesk) -> None:
    """A greeting, a typed wish, and an answer that is being spoken."""
    server.say(GREETING)
    desk.shows("Speaking")
    desk.shows("Listening")
    desk.page.get_by_label("Or type").fill("Two small funghi with extra cheese and a tiramisu, please.")
    desk.page.keyboard.press("Enter")
    server.send(type="progress", **server.progress | {"order": ORDER, "responseMs": [640, 710]})
    server.say(ANSWER)
    desk.shows("Speaking")


def test_pictures(frame: tuple[BrowserContext, str], openai: OpenAISimulator, live_server: LiveServer) -> None:
    context, size = frame
    address = f"{live_server.url}/call/bella-napoli"
    desk = open_call_page(context, openai, address)
    take(desk, "ready", size)
    server = desk.begin()
    converse(server, desk)
    take(desk, "speaking", size)
    desk.page.wait_for_timeout(2500)
    desk.page.get_by_role("button", name="Interrupt").click()
    server.tell({"type": "output_audio_buffer.clear"})
    expect(desk.page.get_by_role("log")).to_contain_text("(interrupted)")
    take(desk, "listening", size)
    desk.page.evaluate("document.getElementById('call').way.events.on.state('thinking', 'Sending the order…')")
    take(desk, "thinking", size)
    desk.page.evaluate("document.getElementById('call').way.events.on.state('reconnecting')")
    take(desk, "reconnecting", size)
    submitted = {"number": 7, "total": "24.50", "currency": "EUR"}
    server.progress |= {
        "order": ORDER, "submitted": submitted, "responseMs": [640, 710, 820], "cost": "0.0421", "durationS": 47,
    }  # fmt: skip
    desk.page.get_by_role("button", name="End call").click()
    expect(desk.page.locator("#summary")).to_be_visible()
    take(desk, "ended", size)
    desk.page.close()


def test_pictures_before_and_instead_of_a_call(
    frame: tuple[BrowserContext, str], openai: OpenAISimulator, live_server: LiveServer
) -> None:
    context, size = frame
    address = f"{live_server.url}/call/bella-napoli"
    desk = open_call_page(context, openai, address, script=HOLD)
    desk.page.get_by_role("button", name="Call", exact=True).click()
    take(desk, "microphone", size)
    desk.page.close()
    desk = open_call_page(context, openai, address)
    assert desk.server is not None
    desk.server.has_candidates = False
    desk.page.get_by_role("button", name="Call", exact=True).click()
    desk.shows("Connecting…")
    take(desk, "connecting", size)
    desk.page.get_by_role("button", name="End call").click()
    desk.page.close()
    desk = open_call_page(context, openai, address)
    assert desk.server is not None
    desk.server.refuses_call.append(
        Refusal(500, {"message": "OpenAI did not respond in time."}, {"X-Request-ID": "4be1"})
    )
    desk.page.get_by_role("button", name="Call", exact=True).click()
    desk.shows("The call failed")
    take(desk, "failed", size)
    desk.page.close()
