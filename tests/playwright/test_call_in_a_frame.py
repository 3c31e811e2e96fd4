"""A visitor calls in a frame of another website: nothing but the page's token proves who it is."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from agents.call_page.models import CallAccess, CallPage
from agents.tests.builders import make_agent, make_organization
from sessions.calls.models import Call
from sessions.visitors.models import VisitorCall

from .microphone import browser_with_microphone, speech_file
from .rooms import MARKS, WITHIN_MS, livekit
from .websites import website, write_page

__all__ = ["livekit", "website"]

pytestmark = MARKS


def test_a_visitor_calls_twice_in_the_frame_without_a_cookie(
    livekit: str, live_server: LiveServer, transactional_db: None, website: str, tmp_path: Path
) -> None:
    harbour = make_organization("Harbour")
    make_agent(harbour)
    write_page(tmp_path, live_server, harbour)
    CallPage.objects.create(organization=harbour, who_may_call=CallAccess.SITES, sites=website)
    with browser_with_microphone(speech_file(tmp_path / "caller.wav", "Hello.")) as browser:
        context = browser.new_context(permissions=["microphone"])
        page = context.new_page()
        page.goto(website)
        page.get_by_role("button", name="Talk to us").click()
        frame = page.frame_locator("iframe")
        frame.locator("#call[data-ready=yes]").wait_for()
        state = frame.locator("#state")
        for number, button in enumerate(("Call", "Call again"), start=1):
            frame.get_by_role("button", name=button, exact=True).click()
            expect(state).to_have_text("Connected. Waiting for the agent…", timeout=WITHIN_MS)
            call = Call.objects.latest("created_at")
            assert call.owner.startswith("visitor_")
            assert VisitorCall.objects.filter(organization=harbour, call__isnull=False).count() == number
            frame.get_by_role("button", name="End call").click()
            expect(state).to_have_text("The call has ended", timeout=WITHIN_MS)
        assert frame.locator("#summary-cost").is_hidden()
        assert context.cookies() == []
        context.close()
    assert {call.is_live for call in Call.objects.all()} == {False}
