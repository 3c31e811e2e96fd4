"""From a caller's words to the kitchen: a spoken order rings on the board, is accepted, undone, refused and printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, expect
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.orders.models import Order, OrderEvent
from telephony.live.tests.browser import signed_in
from telephony.live.tests.conftest import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    address,
    openai,
    product,
    server_socket,
    serving_here,
)
from voiceapp.management.demo.organization import NUMBER
from voiceapp.simulators.twilio import Number
from voiceapp.simulators.twilio.tests.running import RunningTwilio, running_twilio
from voiceapp.tests.waiting import soon

from .conftest import CHROMIUM, SCREENS, Desk, desk_at
from .test_order_board import card, in_column, press

__all__ = ["address", "openai", "product", "server_socket", "serving_here"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sound,
    pytest.mark.embedded,
    # whitenoise reads files in one piece
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here"),
]
STEPS = (
    {"say": "Hi, two tiramisu, please. That's all.", "interrupt_after_ms": 400},
    {"say": "Yes, please.", "interrupt_after_ms": 1500},
    {"listen": True},
    {"hang_up": True},
)


@pytest.fixture
def phone(product: str, settings: Settings) -> Iterator[RunningTwilio]:
    """The carrier, at which the demo's restaurant has its number."""
    call_command("seed_demo", "--json")
    with running_twilio(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN) as carrier:
        settings.TWILIO_BASE_URL = carrier.url
        carrier.server.carrier.numbers[NUMBER] = Number(voice_url=f"{product}/twiml/start")
        yield carrier


@pytest.fixture(params=SCREENS)
def alice(request: pytest.FixtureRequest, browser: Browser, phone: RunningTwilio, product: str) -> Iterator[Desk]:
    """Her tablet or phone in the kitchen, without a printer's dialog."""
    with desk_at(browser, request.param, product, signed_in(Organization.objects.get())) as desk:
        desk.page.add_init_script("window.print = () => {}")
        yield desk


def test_a_spoken_order_rings_and_is_accepted_undone_refused_and_printed(alice: Desk, phone: RunningTwilio) -> None:
    page = alice.page
    page.goto(f"{alice.address}/admin/orders/board/")
    page.get_by_role("button", name="Turn on sound").click()
    call = phone.run(
        phone.server.carrier.place_call(from_number="+4915112345678", to_number=NUMBER, steps=STEPS, noise=False)
    )
    order = soon(lambda: Order.objects.first(), within_s=40)
    in_column(page, "new", order)
    expect(card(page, order)).to_contain_text("2 × Tiramisu")
    expect(card(page, order)).to_contain_text("+49 1511 2345678")
    page.wait_for_function("Number(document.getElementById('board').dataset.chimes) > 0")
    press(page, order, "Accept")
    in_column(page, "accepted", order)
    press(page, order, "Undo")
    in_column(page, "new", order)
    press(page, order, "Refuse")
    page.get_by_label("We are too busy.").check()
    page.get_by_role("button", name="Refuse the order").click()
    in_column(page, "over", order)
    press(page, order, "Print")
    page.wait_for_function("document.body.dataset.printed === '1'")
    assert [event.after for event in OrderEvent.objects.all()] == ["accepted", "submitted", "refused"]
    assert alice.faults_of_access() == []
    assert alice.complaints == []
    phone.run(call.cancel())
