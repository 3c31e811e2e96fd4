"""Alice talks on the call page in a LiveKit room: she is heard, reads what is said, hears the agent, and hangs up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Membership, Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from telephony.tasks import process_events
from voiceapp.console.call_page.views import LIBRARY
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import name_livekit, running_livekit
from voiceapp.tests import livekit_server

from .conftest import CHROMIUM
from .microphone import browser_with_microphone, speech_file
from .scripted_agent import ScriptedAgent, in_room

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
    pytest.mark.skipif(finders.find(LIBRARY) is None, reason="no livekit-client here: make livekit-client"),
]

SENTENCE = "One large margherita, please."
ANSWER = "One large margherita. Anything else?"
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


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")


@pytest.fixture(params=["simulator", pytest.param("real", marks=pytest.mark.livekit_server)])
def livekit(
    request: pytest.FixtureRequest, settings: Settings, live_server: LiveServer, tmp_path: Path
) -> Iterator[str]:
    """The address of a server for rooms, whose events go to the product."""
    hook = f"{live_server.url}/api/voice/webhook"
    if request.param == "simulator":
        with running_livekit(webhook_urls=[hook], agent_names=[]) as simulator:
            name_livekit(settings, simulator.url)
            yield simulator.url.replace("http", "ws", 1)
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
def page(
    harbour: Organization, live_server: LiveServer, settings: Settings, tmp_path: Path, complaints: list[str]
) -> Iterator[Page]:
    """Alice's, signed in, with her sentence at the microphone."""
    alice = User.objects.create_user("alice", is_staff=True)
    Membership.objects.create(organization=harbour, user=alice, role="owner")
    client = Client()
    client.force_login(alice)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with browser_with_microphone(speech_file(tmp_path / "caller.wav", SENTENCE)) as browser:
        context: BrowserContext = browser.new_context(permissions=["microphone"])
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/call/{harbour.slug}")
        yield page
        context.close()


def is_complaint(message: ConsoleMessage) -> bool:
    """Not that the simulator has no signaling v1, after which the client falls back."""
    return message.type == "error" and "/rtc/v1" not in message.text + str(message.location["url"])


def agent_token(call: Call) -> str:
    identity = RoomAgent.objects.get(call=call).identity
    return LiveKitClient.from_settings().agent_token(room=str(call.room_name), identity=identity)


def test_alice_speaks_reads_and_hears_the_agent_and_hangs_up(
    livekit: str, page: Page, harbour: Organization, complaints: list[str]
) -> None:
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("Connected. Waiting for the agent…", timeout=WITHIN_MS)
    call = Call.objects.get()
    with in_room(ScriptedAgent(livekit, agent_token(call), heard=SENTENCE, said=ANSWER)) as agent:
        expect(page.locator("#state")).to_have_text("Listening", timeout=WITHIN_MS)
        page.locator("audio").first.wait_for(state="attached", timeout=WITHIN_MS)
        page.evaluate(LISTEN)
        log = page.get_by_role("log")
        expect(log).to_contain_text(SENTENCE, timeout=WITHIN_MS)
        expect(log).to_contain_text(ANSWER)
        assert agent.has_heard.is_set()
        expect(page.locator("#state")).to_have_text("Speaking")
        page.wait_for_function("window.loudest > 0.05", timeout=WITHIN_MS)
        expect(page.locator("#state")).to_have_text("Listening")
        assert log.locator("p").count() == 2
        process_events()
        page.get_by_role("button", name="End call").click()
        expect(page.locator("#state")).to_have_text("The call has ended")
    call.refresh_from_db()
    assert (call.organization, call.state, call.end_reason) == (harbour, "completed", "ended_by_request")
    expect(page.locator("#summary-text")).to_contain_text("Ended over the API")
    assert complaints == []
