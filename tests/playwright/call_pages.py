"""Alice on the call page. Page, microphone and simulated OpenAI are real; a stand-in answers for our server.

Its microphone is silent. Who has no permission is refused by the browser itself.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from websockets.sync.client import connect

from agents.organizations.models import Membership, Organization
from agents.tests.builders import make_organization
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.openai.tests.running import running_openai

from .conftest import CHROMIUM, QUIET, Desk
from .microphone import speech_file

MARKS = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
KEY = "sk-of-the-call-page"
CALL = "7f7c2e0a-5d1b-4e55-9f1c-0a3f8a1f5d11"
SESSION = {"type": "realtime", "model": "gpt-realtime", "instructions": "You take orders."}
PROGRESS: dict[str, Any] = {
    "state": "connected", "endReason": "", "durationS": 3, "agentStatus": None, "message": "", "order": None,
    "submitted": None, "appointment": None, "responseMs": [], "cost": None, "logUrl": "/admin/",
}  # fmt: skip
WITHIN_MS = 15_000
SILENT_WITHIN_MS = 300
# How long the page is heard after `act`, in ms: until 200 ms of silence follow.
HEARD_AFTER = """async (act) => {
    const context = new AudioContext();
    const meter = context.createAnalyser();
    context.createMediaStreamSource(document.getElementById("call").way.sound).connect(meter);
    const samples = new Float32Array(256);
    const isLoud = () => (meter.getFloatTimeDomainData(samples), samples.some((each) => Math.abs(each) > 0.01));
    const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
    while (!isLoud()) await tick();
    const actedAt = performance.now();
    document.getElementById(act).click();
    let heardAt = actedAt;
    while (performance.now() - heardAt < 400) {
        if (isLoud()) heardAt = performance.now();
        await tick();
    }
    return heardAt - actedAt;
}"""
# All that the page says of its state, from now on.
KEEP_STATES = """() => {
    const state = document.getElementById("state");
    window.states = [];
    new MutationObserver(() => window.states.push(state.textContent)).observe(state, {childList: true});
}"""
# As a network does that goes away and comes back: the page's newest connection says that it is in this state.
KEEP_CONNECTIONS = """
window.peers = [];
const Peer = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Peer {
    constructor(...all) {
        super(...all);
        window.peers.push(this);
    }
};
window.connectionIs = (state) => {
    Object.defineProperty(window.peers.at(-1), "connectionState", {value: state, configurable: true});
    window.peers.at(-1).dispatchEvent(new Event("connectionstatechange"));
};
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class StandIn:
    """What our server does in a call over WebRTC, as far as its page sees it."""

    def __init__(self, page: Page, openai: OpenAISimulator) -> None:
        self.openai, self.base_url = openai, openai.base_url
        self.refuses_call: deque[Refusal] = deque()
        self.refuses_offer: deque[Refusal] = deque()
        self.refuses_another: deque[Refusal | None] = deque()  # an offer after the first; None: it cannot be reached
        self.unheard_ms: list[int] = []
        self.minted = 0
        self.begun_with: list[object] = []
        self.pieces: list[tuple[int, bytes]] = []  # of the page's recording, each with its place
        self.last_pieces = 0
        self.refuses_piece: deque[Refusal | None] = deque()  # None: it cannot be reached
        self.provider_call = ""
        self.received: list[dict[str, Any]] = []
        self.progress = dict(PROGRESS)
        self._socket: WebSocketRoute | None = None
        self.has_candidates = True  # without any, neither side finds the other
        page.route(re.compile("/call/[^/]+/realtime$"), self._mint)
        page.route(re.compile("/call/[^/]+/realtime/[^/]+$"), self._relay)
        page.route(re.compile("/call/[^/]+/realtime/[^/]+/again"), self._relay_another)
        page.route(re.compile("/call/[^/]+/realtime/[^/]+/recording"), self._take)
        page.route(re.compile("/call/[^/]+/calls/[^/]+$"), lambda route: route.fulfill(json=self.progress))
        page.route_web_socket(re.compile("/ws/browser-call/"), self._accept)

    def send(self, **message: object) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(message))

    def end(self, message: str = "") -> None:
        self.progress |= {"state": "completed", "endReason": "Agent hung up"}
        self.send(type="ended", endReason="Agent hung up", message=message)

    def break_socket(self) -> None:
        assert self._socket is not None
        self._socket.close(code=1012)

    def say(self, sentence: str) -> None:
        """The agent says it, as the side channel tells it to."""
        self.tell({"type": "response.create", "response": {"instructions": f'Say exactly: "{sentence}"'}})

    def tell(self, event: dict[str, Any]) -> None:
        address = f"{self.base_url.replace('http', 'ws', 1)}/realtime?call_id={self.provider_call}"
        with connect(address, additional_headers={"Authorization": f"Bearer {KEY}"}) as side:
            side.recv()
            side.send(json.dumps(event))
            side.recv()

    def hang_up(self) -> None:
        """The provider ends the call."""
        calls = f"{self.base_url}/realtime/calls"
        httpx.post(f"{calls}/{self.provider_call}/hangup", headers={"Authorization": f"Bearer {KEY}"})

    def _mint(self, route: Route) -> None:
        self.minted += 1
        if self.refuses_call:
            refuse(route, self.refuses_call.popleft())
            return
        place = route.request.url
        self.begun_with.append(route.request.post_data_json)
        wants_recording = route.request.post_data_json == {"record": True}
        answer = {
            "callId": CALL, "secret": {"value": f"secret-{self.minted}", "expiresAt": "2030-01-01T00:00:00Z"},
            "callsUrl": f"{place}/{CALL}", "model": "gpt-realtime", "voice": "marin",
            "socket": f"/ws/browser-call/{CALL}",
            "recording": f"{place}/{CALL}/recording" if wants_recording else None,
        }  # fmt: skip
        route.fulfill(status=201, json=answer)

    def _take(self, route: Route) -> None:
        assert route.request.headers["content-type"] == "audio/webm"
        assert route.request.headers["x-csrftoken"]
        place = re.search("[?&]at=([0-9]+)", route.request.url)
        assert place
        refusal = self.refuses_piece.popleft() if self.refuses_piece else Refusal(200, {"size": 0})
        if refusal is None:
            route.abort()
            return
        if refusal.status == 200:
            self.last_pieces += "isLast=true" in route.request.url
            self.pieces.append((int(place[1]), route.request.post_data_buffer or b""))
        refuse(route, refusal)

    def _relay(self, route: Route) -> None:
        assert route.request.headers["authorization"] == f"Bearer secret-{self.minted}"
        if self.refuses_offer:
            refuse(route, self.refuses_offer.popleft())
            return
        self._answer(route)

    def _relay_another(self, route: Route) -> None:
        assert "authorization" not in route.request.headers
        assert route.request.headers["x-csrftoken"]
        if not self.refuses_another:
            self.unheard_ms.append(int(route.request.url.rpartition("unheardMs=")[2]))
            self._answer(route)
        elif (refusal := self.refuses_another.popleft()) is None:
            route.abort()
        else:
            refuse(route, refusal)

    def _answer(self, route: Route) -> None:
        offer = ("offer", self._reaching(route.request.post_data or ""), "application/sdp")
        answer = httpx.post(
            f"{self.base_url}/realtime/calls", files={"sdp": offer, "session": ("session", json.dumps(SESSION))},
            headers={"Authorization": f"Bearer {KEY}"}, timeout=10,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        self.provider_call = answer.headers["Location"].rpartition("/")[2]
        route.fulfill(status=201, content_type="application/sdp", body=self._reaching(answer.text))

    def _reaching(self, sdp: str) -> str:
        return sdp if self.has_candidates else re.sub(r"a=(end-of-)?candidate.*\r\n", "", sdp)

    def _accept(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._read)

    def _read(self, message: str | bytes) -> None:
        said = json.loads(message)
        self.received.append(said)
        if said["type"] == "end":
            self.progress |= {"state": "completed", "endReason": "Caller hung up"}
            self.send(type="ended", endReason="Caller hung up", message="")


def refuse(route: Route, refusal: Refusal) -> None:
    route.fulfill(status=refusal.status, json=refusal.body, headers=refusal.headers)


@dataclass(slots=True)
class CallDesk(Desk):
    """Alice at the page."""

    server: StandIn | None = None

    def begin(self) -> StandIn:
        """The call, until the agent listens."""
        assert self.server is not None
        self.page.get_by_role("button", name="Call", exact=True).click()
        self.shows("Listening")
        return self.server

    def shows(self, state: str) -> None:
        expect(self.page.locator("#state")).to_have_text(state, timeout=WITHIN_MS)

    def reads(self, problem: str) -> None:
        """It is told the caller at once, and is the only problem."""
        expect(self.page.get_by_role("alert")).to_contain_text(problem, timeout=WITHIN_MS)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    silence = speech_file(tmp_path_factory.mktemp("microphone") / "silence.wav", before_s=1)
    arguments = (
        "--use-fake-device-for-media-stream",
        "--allow-loopback-in-peer-connection",
        "--autoplay-policy=no-user-gesture-required",
        "--host-resolver-rules=MAP plain.example.com 127.0.0.1",
        f"--use-file-for-fake-audio-capture={silence}",
    )
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=(*QUIET, *arguments))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def openai() -> Iterator[OpenAISimulator]:
    with running_openai(keys=[KEY]) as simulator:
        yield simulator


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")


@pytest.fixture
def signed_in(harbour: Organization, live_server: LiveServer, settings: Settings) -> SetCookieParam:
    """Alice's cookie."""
    settings.OPENAI_API_KEY = KEY
    alice = User.objects.create_user("alice", is_staff=True)
    Membership.objects.create(organization=harbour, user=alice, role="owner")
    client = Client()
    client.force_login(alice)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}


@pytest.fixture
def context(browser: Browser, signed_in: SetCookieParam) -> Iterator[BrowserContext]:
    context = browser.new_context(permissions=["microphone"])
    context.add_cookies([signed_in])
    yield context
    context.close()


@pytest.fixture
def caller(
    context: BrowserContext, openai: OpenAISimulator, live_server: LiveServer, harbour: Organization
) -> CallDesk:
    return open_call_page(context, openai, f"{live_server.url}/call/{harbour.slug}")


def open_call_page(context: BrowserContext, openai: OpenAISimulator, address: str, *, script: str = "") -> CallDesk:
    """`script` runs before the page's own."""
    page = context.new_page()
    desk = CallDesk(page, address, server=StandIn(page, openai))
    page.on("console", lambda said: desk.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    if script:
        page.add_init_script(script)
    page.add_init_script(KEEP_CONNECTIONS)
    page.goto(address)
    expect(page.locator("#call[data-ready]")).to_be_attached()
    return desk
