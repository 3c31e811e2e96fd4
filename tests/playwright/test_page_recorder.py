"""The page records a call only if its caller ticks that, sends it in pieces, and stops when the server says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import AgentVersion
from agents.organizations.models import Organization
from agents.tests.builders import make_agent
from recordings.sources.page import EBML
from voiceapp.simulators.openai import OpenAISimulator

from .call_pages import (
    MARKS,
    WITHIN_MS,
    CallDesk,
    Refusal,
    StandIn,
    browser,
    context,
    harbour,
    open_call_page,
    openai,
    signed_in,
)

__all__ = ["browser", "context", "harbour", "openai", "signed_in"]

pytestmark = MARKS

RECORD = "Record this call"


@pytest.fixture
def caller(
    context: BrowserContext, openai: OpenAISimulator, live_server: LiveServer, harbour: Organization
) -> CallDesk:
    make_agent(harbour)
    AgentVersion.objects.update(recording="bridge")
    return open_call_page(context, openai, f"{live_server.url}/call/{harbour.slug}")


def until(desk: CallDesk, claim: Callable[[StandIn], bool]) -> StandIn:
    """Playwright serves the stand-in while its page is waited for."""
    server = desk.server
    assert server is not None
    for _ in range(WITHIN_MS // 50):
        if claim(server):
            return server
        desk.page.wait_for_timeout(50)
    raise AssertionError("it did not come true in time")


def test_nothing_is_recorded_unless_the_caller_ticks_it(caller: CallDesk) -> None:
    page, server = caller.page, caller.server
    assert server is not None
    page.get_by_role("radio", name="Phone line").check()
    expect(page.get_by_label(RECORD)).to_be_hidden()
    page.get_by_role("radio", name="In the browser").check()
    expect(page.get_by_label(RECORD)).not_to_be_checked()
    assert caller.faults_of_access() == []
    caller.begin()
    expect(page.locator("#recording")).to_be_empty()
    expect(page.get_by_label(RECORD)).to_be_hidden()  # it has its room on a phone for the conversation
    page.get_by_role("button", name="End call").click()
    caller.shows("The call has ended")
    expect(page.get_by_label(RECORD)).to_be_visible()
    assert (server.begun_with, server.pieces) == ([{}], [])


def test_what_is_recorded_comes_in_pieces_until_the_caller_does_not_want_it(caller: CallDesk) -> None:
    page, server = caller.page, caller.server
    assert server is not None
    server.refuses_piece.append(None)  # there is no network, once
    page.get_by_label(RECORD).check()
    caller.begin()
    expect(page.locator("#recording")).to_have_text("Recording")
    expect(page.get_by_label(RECORD)).to_be_disabled()
    until(caller, lambda server: len(server.pieces) >= 2)
    assert server.begun_with == [{"record": True}]
    assert server.pieces[0][1].startswith(EBML)
    ends = [at + len(piece) for at, piece in server.pieces]
    assert [at for at, _ in server.pieces] == [0, *ends[:-1]]
    server.refuses_piece.append(Refusal(409, {"code": "not_recorded", "message": "Not any more."}))
    until(caller, lambda server: not server.refuses_piece)
    taken = len(server.pieces)
    expect(page.locator("#recording")).to_have_text("Not recorded any more")
    caller.shows("Listening")
    page.get_by_role("button", name="End call").click()
    caller.shows("The call has ended")
    assert len(server.pieces) == taken


def test_a_call_that_ends_sends_what_is_left(caller: CallDesk) -> None:
    page, server = caller.page, caller.server
    assert server is not None
    page.get_by_label(RECORD).check()
    caller.begin()
    expect(page.locator("#recording")).to_have_text("Recording")
    page.get_by_role("button", name="End call").click()
    until(caller, lambda server: bool(server.last_pieces))
    expect(page.locator("#recording")).to_be_empty()
    assert caller.complaints == []
