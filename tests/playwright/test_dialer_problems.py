"""The words of the phone line's problems: a stand-in answers on its socket, the page and its microphone are real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

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


def answer(page: Page, *frames: dict[str, str], closes: bool = False) -> None:
    """What the server sends once the stream has begun."""

    def accept(socket: WebSocketRoute) -> None:
        def read(message: str | bytes) -> None:
            if json.loads(message)["event"] == "start":
                for frame in frames:
                    socket.send(json.dumps(frame))
                if closes:
                    socket.close(code=1012)

        socket.on_message(read)

    page.route_web_socket(re.compile("/ws/dialer/"), accept)
    page.get_by_role("button", name="Call", exact=True).click()


def test_whoever_is_signed_out_reads_it_with_a_link_to_sign_in(page: Page) -> None:
    answer(page, {"event": "refused", "code": "signed_out", "message": "You are signed out."})
    expect(page.locator("#problem")).to_contain_text("You are signed out. Sign in again", timeout=WITHIN_MS)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_refusal_is_said_in_the_servers_words(page: Page) -> None:
    answer(page, {"event": "refused", "code": "refused", "message": "All lines are busy. Call again in a few minutes."})
    expect(page.locator("#problem")).to_contain_text("All lines are busy.", timeout=WITHIN_MS)


def test_a_line_that_breaks_says_so(page: Page) -> None:
    answer(page, CALL, closes=True)
    expect(page.locator("#problem")).to_contain_text("The connection was lost", timeout=WITHIN_MS)


def test_an_end_with_a_reason_says_it(page: Page) -> None:
    ended = {"event": "ended", "endReason": "server_stopping", "message": "The server is restarting."}
    answer(page, CALL, ended)
    expect(page.locator("#problem")).to_contain_text("The server is restarting.", timeout=WITHIN_MS)
