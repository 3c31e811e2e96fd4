"""Alice orders by voice on the call page from the agent of a real worker: she cuts its greeting short by a button, and
else only her microphone's sound goes in.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.models import Call, TranscriptLine, Turn
from sessions.messages.outbox import outbox
from sessions.orders.models import Order
from telephony.livekit.agent.tests.test_spoken_call import agent_worker
from telephony.tasks import process_events
from voiceapp.simulators.openai.tests.running import running_openai

from .call_pages import HEARD_AFTER, SILENT_WITHIN_MS
from .rooms import LISTEN, MARKS, WITHIN_MS, OpenPage, complaints, livekit, open_page, until_heard

__all__ = ["complaints", "livekit", "open_page"]

pytestmark = [*MARKS, pytest.mark.timeout(300)]

KEY = "sk-of-the-call-page"
# The greeting comes before the first, and an answer after each.
SENTENCES = ("Hi, two small funghi and a tiramisu, please.", "That's all.", "Yes, please.")
SILENCES_S = {"before_s": 14, "pause_s": 12}
WITHIN_S = 100


@pytest.fixture
def bella_napoli(transactional_db: None) -> Organization:
    call_command("seed_demo", "--json")
    return Organization.objects.get(slug="bella-napoli")


@pytest.fixture
def worker(livekit: str, bella_napoli: Organization, settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.OPENAI_API_KEY = KEY
    with running_openai(keys=[KEY]) as openai:
        settings.OPENAI_BASE_URL = openai.base_url
        environment = {
            "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url, "LIVEKIT_HOST": livekit,
            "LIVEKIT_INTERNAL_URL": settings.LIVEKIT_INTERNAL_URL, "LIVEKIT_API_KEY": settings.LIVEKIT_API_KEY,
            "LIVEKIT_API_SECRET": settings.LIVEKIT_API_SECRET,
        }  # fmt: skip
        with agent_worker(tmp_path, environment):
            yield


def until_ordered(page: Page) -> Order:
    """As the product's worker, process what LiveKit reports meanwhile."""
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        process_events()
        outbox.process_due()
        order = Order.objects.first()
        if order:
            return order
        page.wait_for_timeout(500)
    raise AssertionError("no order: " + page.locator("#call").inner_text())


def test_an_order_is_placed_by_voice(
    worker: None, open_page: OpenPage, bella_napoli: Organization, complaints: list[str]
) -> None:
    with open_page(bella_napoli, *SENTENCES, **SILENCES_S) as page:
        page.get_by_role("button", name="Call", exact=True).click()
        page.locator("audio").first.wait_for(state="attached", timeout=WITHIN_MS)
        page.evaluate(LISTEN)
        until_heard(page, louder_than=0.02)
        expect(page.locator("#interim")).to_contain_text("Bella Napoli", timeout=WITHIN_MS)
        heard_ms = page.evaluate(HEARD_AFTER, "interrupt")
        assert heard_ms < SILENT_WITHIN_MS
        log = page.get_by_role("log")
        expect(log.locator("[data-speaker=agent].cut")).to_contain_text("(interrupted)", timeout=WITHIN_MS)
        order = until_ordered(page)
        expect(log.locator("[data-speaker=caller]").first).to_contain_text("funghi", ignore_case=True)
        expect(log.locator("[data-speaker=agent]").first).to_contain_text("Bella Napoli")
        expect(page.locator("#order-submitted")).to_contain_text(str(order.total), timeout=WITHIN_MS)
        expect(page.locator("#order-lines li")).to_have_count(2)
        states = page.evaluate("window.states")
        assert {"Writing the order…", "Sending the order…"} <= set(states), states
        expect(page.locator("#order-lines")).to_contain_text("2 × small Funghi")
        expect(page.locator("#latency-turns li").nth(1)).to_have_text(re.compile(r"Turn 2: \d+\.\d s"))
        page.get_by_role("button", name="End call").click()
        expect(page.locator("#summary-text")).to_contain_text("Response times", timeout=WITHIN_MS)
    call = Call.objects.get(orders=order)
    assert (call.state, call.organization, order.lines.count()) == ("completed", bella_napoli, 2)
    greeting = TranscriptLine.objects.filter(call=call, speaker="agent").order_by("spoken_at_ms").first()
    assert greeting is not None
    assert (greeting.is_cut, "to order" in greeting.text) == (True, False)
    assert call.interruptions >= 1
    said = " ".join(TranscriptLine.objects.filter(call=call, speaker="caller").values_list("text", flat=True))
    assert "funghi" in said.lower()
    assert Turn.objects.filter(call=call, response_ms__isnull=False).count() >= 2
    assert complaints == []
