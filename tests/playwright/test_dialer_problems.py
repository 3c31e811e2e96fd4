"""The words of the phone line's problems: a stand-in answers on its socket, the page and its microphone are real."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.tests.builders import make_organization
from telephony.live.tests.dialer import session_of

from .conftest import CHROMIUM
from .microphone import browser_with_microphone, speech_file

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
WITHIN_MS = 15_000
CALL = {"event": "call", "callId": "7f7c2e0a-5d1b-4e55-9f1c-0a3f8a1f5d11"}


@pytest.fixture
def page(live_server: LiveServer, settings: Settings, tmp_path: Path) -> Iterator[Page]:
    session = session_of("alice", make_organization("Harbour"))
    with browser_with_microphone(speech_file(tmp_path / "silence.wav")) as browser:
        context = browser.new_context(permissions=["microphone"])
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}/call/harbour?way=dialer")
        yield page
        context.close()


class Server:
    """What our server sends once a stream has begun: to its first socket, to the next one, and so on."""

    def __init__(self, page: Page, *answers: tuple[dict[str, Any], ...]) -> None:
        self._answers = list(answers)
        self.socket: WebSocketRoute | None = None
        self.received: list[dict[str, Any]] = []
        page.route_web_socket(re.compile("/ws/dialer/"), self._accept)
        page.get_by_role("button", name="Call", exact=True).click()

    def send(self, **frame: Any) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(frame))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [frame for frame in self.received if frame["event"] == event]

    def _accept(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        socket.on_message(self._read)

    def _read(self, message: str | bytes) -> None:
        frame = json.loads(message)
        self.received.append(frame)
        if frame["event"] == "start":
            for answer in self._answers.pop(0):
                self.send(**answer)


def test_whoever_is_signed_out_reads_it_with_a_link_to_sign_in(page: Page) -> None:
    Server(page, ({"event": "refused", "code": "signed_out", "message": "You are signed out."},))
    expect(page.locator("#problem")).to_contain_text("You are signed out. Sign in again", timeout=WITHIN_MS)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_refusal_is_said_in_the_servers_words(page: Page) -> None:
    Server(
        page, ({"event": "refused", "code": "refused", "message": "All lines are busy. Call again in a few minutes."},)
    )
    expect(page.locator("#problem")).to_contain_text("All lines are busy.", timeout=WITHIN_MS)


def test_a_line_that_breaks_comes_back_and_says_so_when_it_cannot(page: Page) -> None:
    returned = {"event": "returned", "callId": CALL["callId"]}
    refused = {"event": "refused", "code": "connection_lost", "message": "Too late."}
    server = Server(page, (CALL,), (returned,), (refused,))
    state = page.locator("#state")
    expect(state).to_have_text("Listening", timeout=WITHIN_MS)
    caption = {"id": "a1", "who": "caller", "text": "", "isFinal": False, "wasInterrupted": False}
    server.send(event="caption", caption=caption)
    expect(page.locator("#interim")).to_have_text("You: …")
    server.send(event="caption", caption=caption | {"text": "Two fun"})
    expect(page.locator("#interim")).to_have_text("You: Two fun")
    server.send(event="tool", name="look_up_items")
    expect(state).to_have_text("Checking the menu…")
    server.send(event="tool", name="")
    expect(state).to_have_text("Thinking…")
    assert server.socket is not None
    page.get_by_label("Or type").fill("A tiramisu, too")
    page.evaluate(
        """() => {
            const opens = new MutationObserver(() => {
                if (document.getElementById("call").dataset.state !== "reconnecting") return;
                opens.disconnect();
                document.getElementById("type-form").requestSubmit();
            });
            opens.observe(document.getElementById("call"), {attributeFilter: ["data-state"]});
        }"""
    )
    server.socket.close(code=1012)
    soon(lambda: bool(server.of("say")), page)
    expect(state).to_have_text("Thinking…")
    first, second = (frame["start"] for frame in server.of("start"))
    assert second["customParameters"] == {"callId": CALL["callId"], "received": "5"}
    assert second["streamSid"] == first["streamSid"]
    assert [frame["text"] for frame in server.of("say")] == ["A tiramisu, too"]
    stamps = [int(frame["media"]["timestamp"]) for frame in server.of("media")]
    assert stamps == sorted(stamps)
    server.socket.close(code=1012)
    expect(page.locator("#problem")).to_contain_text("The connection was lost", timeout=WITHIN_MS)
    expect(state).to_have_text("The call has ended")


def soon(claim: Callable[[], bool], page: Page) -> None:
    for _ in range(WITHIN_MS // 50):
        if claim():
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.locator("#call").inner_text())


def test_an_end_with_a_reason_says_it(page: Page) -> None:
    ended = {"event": "ended", "endReason": "server_stopping", "message": "The server is restarting."}
    Server(page, (CALL, ended))
    expect(page.locator("#problem")).to_contain_text("The server is restarting.", timeout=WITHIN_MS)
