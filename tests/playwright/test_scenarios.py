"""A call becomes a scenario, runs against draft and published version, and fails with the draft on purpose."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from playwright.sync_api import expect
from pytest_django import Settings

from agents.configuration.models import Agent
from sessions.calls.models import Call, CallState, TranscriptLine
from sessions.tests.builders import Phone, make_call
from telephony.scenarios.models import scenario_runs
from voiceapp.management.demo.organization import Demo
from voiceapp.simulators.openai import OpenAISimulator

from .call_pages import KEY, openai
from .conftest import CHROMIUM, Desk

__all__ = ["openai"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")]
SAID = ("Two large margherita pizzas with extra cheese please.", "That is all.", "Yes, that's right.")
LINE = "2 × large Margherita with extra cheese, thin crust"


def is_in_order(desk: Desk) -> None:
    assert desk.complaints == []
    assert desk.faults_of_access() == []
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= desk.page.evaluate("window.innerWidth")


@pytest.fixture
def spoken(demo: Demo) -> Call:
    """On which that was said and ordered."""
    call = make_call(demo.agent)
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=2, modifiers=["extra cheese"])
    phone.agrees()
    for number, text in enumerate(SAID):
        TranscriptLine.objects.create(
            call=call, item_id=str(number), speaker="caller", text=text, spoken_at_ms=1000 * number
        )
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED, end_reason="agent_ended")
    return call


def work() -> None:
    """What a worker does, in a thread of its own: Playwright's loop is in this one."""

    def run() -> None:
        scenario_runs.process_due()
        connections.close_all()

    worker = threading.Thread(target=run)
    worker.start()
    worker.join(60)


def test_a_call_becomes_a_scenario_that_fails_with_the_draft(
    desk: Desk, demo: Demo, spoken: Call, openai: OpenAISimulator, settings: Settings
) -> None:
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = KEY, openai.base_url
    draft = Agent.objects.get(pk=demo.agent.pk)
    draft.tools = [name for name in draft.tools if name != "submit_order"]
    draft.save()
    page = desk.open(f"/admin/voice_sessions/call/{spoken.pk}/change/")
    page.get_by_role("button", name="Make a scenario of this call").click()
    expect(page.get_by_text("The scenario is made.")).to_be_visible()
    expect(page.get_by_label("Expected order")).to_have_value(LINE)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("0 of 3 lines were said.").first).to_be_visible()
    work()
    row = page.get_by_role("row").filter(has_text=LINE)
    expect(row).to_contain_text("Missing")
    expect(row).to_contain_text("As expected")
    is_in_order(desk)
    desk.open("/admin/telephony/scenario/")
    is_in_order(desk)
    desk.open(f"/admin/agents/agent/{draft.pk}/change/")
    expect(page.get_by_text("1 scenario fails with the draft")).to_be_visible()
    page.get_by_role("link", name="Test bench").click()
    page.get_by_label("The caller says").fill("A tiramisu please")
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_role("log").first).to_contain_text("Anything else?")
    page.get_by_role("button", name="Run look_up_items").click()
    expect(page.get_by_role("log", name="Results")).to_contain_text("look_up_items")
    is_in_order(desk)
