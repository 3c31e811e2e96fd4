"""Alice at the page of live calls, with a real call on the phone: she reads along, listens, whispers and hangs up.

Her browser is served by another process than the one that carries the call.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sessions.calls.commands import leave_note
from sessions.calls.models import Call
from telephony.live.tests.browser import signed_in
from telephony.live.tests.conftest import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    Provider,
    address,
    line,
    openai,
    product,
    server_socket,
    serving_here,
)
from telephony.live.tests.handset import Handset
from telephony.twilio.models import PhoneNumber
from voiceapp.tests.web import web_process

from .conftest import CHROMIUM, SCREENS, Desk, desk_at

__all__ = ["address", "line", "openai", "product", "server_socket", "serving_here"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.embedded,
    # whitenoise reads files in one piece
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]


@pytest.fixture
def caller(line: PhoneNumber, product: str, openai: Provider) -> Iterator[Handset]:
    handset = Handset(product, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, dialed=line.number)
    yield handset
    openai.thread.do(handset.put_away())


@pytest.fixture
def other_process(line: PhoneNumber, tmp_path: Path, unused_tcp_port: int) -> Iterator[str]:
    """Its address. It carries no call."""
    with web_process(tmp_path, unused_tcp_port, {"CELERY_BROKER_URL": "memory://"}) as address:
        yield address


@pytest.fixture(params=SCREENS)
def alice(request: pytest.FixtureRequest, browser: Browser, line: PhoneNumber, other_process: str) -> Iterator[Desk]:
    with desk_at(browser, request.param, other_process, signed_in(line.organization)) as desk:
        yield desk


def test_a_live_call_is_watched_heard_whispered_to_and_ended(alice: Desk, caller: Handset, openai: Provider) -> None:
    page = alice.page
    page.goto(f"{alice.address}/admin/live/")
    expect(page.get_by_text("Nobody is on the phone now")).to_be_visible()
    openai.thread.do(caller.dial())
    row = page.get_by_role("row").filter(has_text="With the agent")
    expect(row).to_be_visible()
    assert alice.faults_of_access() == []
    row.get_by_role("link").click()

    call = Call.objects.get(carrier_sid=caller.call_sid)
    page.get_by_role("button", name="Listen in").click()
    expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
    leave_note(call.pk, "The cake is sold out.")
    page.wait_for_function("document.querySelector('[data-voice=agent] meter').value > 0.05")
    expect(page.get_by_role("log")).to_contain_text("Agent")

    page.get_by_label("Hint to the agent").fill("Offer the <b>lemon</b> cake.")
    page.get_by_role("button", name="Whisper").click()
    expect(page.get_by_text("The agent has your hint.")).to_be_visible()
    expect(page.get_by_label("Hint to the agent")).to_have_value("")
    expect(page.get_by_text("alice whispered “Offer the <b>lemon</b> cake.” to the agent.")).to_be_visible()
    assert alice.faults_of_access() == []

    page.get_by_text("Hang up").click()
    page.get_by_role("button", name="End the call").click()
    expect(page.get_by_text("An operator ended the call.")).to_be_visible()
    expect(page.get_by_role("button", name="Whisper")).to_be_disabled()
    expect(page.get_by_role("button", name="Listen in")).to_be_disabled()
    call.refresh_from_db()
    assert f"-{os.getpid()}-" in call.process
    assert call.end_reason == "hung_up_by_operator"
    assert alice.complaints == []
