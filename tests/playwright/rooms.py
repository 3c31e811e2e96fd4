"""A server for rooms, simulated or real, and Alice on the call page with sentences at her microphone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Membership, Organization
from voiceapp.console.call_page.ways import LIBRARY
from voiceapp.simulators.livekit.tests.running import name_livekit, running_livekit
from voiceapp.tests import livekit_server

from .call_pages import KEEP_STATES
from .conftest import CHROMIUM
from .microphone import browser_with_microphone, speech_file

MARKS = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.waits,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    pytest.mark.skipif(finders.find(LIBRARY) is None, reason="no livekit-client here: make livekit-client"),
]
WITHIN_MS = 20_000
# The loudness of all that the page plays.
LISTEN = """() => {
    const context = new AudioContext();
    const meter = context.createAnalyser();
    document.querySelectorAll("audio").forEach(player =>
        context.createMediaStreamSource(player.srcObject).connect(meter));
    window.loudest = 0;
    setInterval(() => {
        const samples = new Float32Array(meter.fftSize);
        meter.getFloatTimeDomainData(samples);
        window.loudest = Math.max(window.loudest, ...samples.map(Math.abs));
    }, 50);
}"""
# Organization, sentences, seconds after each: Alice's page, signed in.
OpenPage = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(params=["simulator", pytest.param("real", marks=pytest.mark.livekit_server)])
def livekit(
    request: pytest.FixtureRequest, settings: Settings, live_server: LiveServer, tmp_path: Path
) -> Iterator[str]:
    """The server's address for browsers. Its events go to the product."""
    hook = f"{live_server.url}/api/voice/webhook"
    if request.param == "simulator":
        with running_livekit(webhook_urls=[hook], agent_names=[]) as simulator:
            name_livekit(settings, simulator.url)
            settings.LIVEKIT_HOST = simulator.url.replace("http", "ws", 1)
            yield settings.LIVEKIT_HOST
        return
    if reason := livekit_server.why_not_there():
        pytest.skip(reason)
    with livekit_server.running(tmp_path, webhook_urls=[hook]) as running:
        for name, value in running.environment.items():
            setattr(settings, name, value)
        yield settings.LIVEKIT_HOST


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says."""
    return []


@pytest.fixture
def open_page(live_server: LiveServer, settings: Settings, tmp_path: Path, complaints: list[str]) -> OpenPage:
    @contextlib.contextmanager
    def opened(organization: Organization, *sentences: str, **silences_s: float) -> Iterator[Page]:
        alice = User.objects.create_user("alice", is_staff=True)
        Membership.objects.create(organization=organization, user=alice, role="owner")
        client = Client()
        client.force_login(alice)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        file = speech_file(tmp_path / "caller.wav", *sentences, **silences_s)
        with browser_with_microphone(file) as browser:
            context = browser.new_context(permissions=["microphone"])
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{live_server.url}/call/{organization.slug}?way=room")
            page.evaluate(KEEP_STATES)
            try:
                yield page
            finally:
                context.close()

    return opened


def is_complaint(message: ConsoleMessage) -> bool:
    """Not that the simulator has no signaling v1, after which the client falls back."""
    return message.type == "error" and "/rtc/v1" not in message.text + str(message.location["url"])


def until_heard(page: Page, *, louder_than: float) -> None:
    """Since LISTEN. Asked from here: the page's policy forbids Playwright to wait within it."""
    for _ in range(WITHIN_MS // 100):
        if page.evaluate("window.loudest") > louder_than:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"nothing is heard: {page.locator('#call').inner_text()}")
