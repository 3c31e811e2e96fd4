"""A real call becomes a scenario: its caller's words, and what came of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from agents.configuration.models import Agent
from sessions.appointments.models import Appointment
from sessions.calls.models import Call, CallState, TranscriptLine
from sessions.messages.outbox import outbox
from sessions.tests.builders import Phone, make_call
from telephony.caller_requests.deleting import start_deletion
from telephony.caller_requests.models import CallerRequest
from telephony.scenarios.from_call import NoScenario, scenario_from_call
from telephony.scenarios.models import MOST_STEPS, Scenario, Verdict

from .test_runs import run_all

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def call(agent: Agent) -> Call:
    """Two pizzas were ordered on it."""
    call = make_call(agent)
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=2, modifiers=["extra cheese"])
    phone.agrees()
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    call.refresh_from_db()
    return call


def say(call: Call, *texts: str) -> None:
    for number, text in enumerate(texts):
        TranscriptLine.objects.create(call=call, item_id=f"item_{number}", speaker="caller", text=text,
                                      spoken_at_ms=1000 * number)  # fmt: skip


def test_its_words_are_the_steps_and_its_order_the_expectation(call: Call) -> None:
    say(call, "Two large margherita with extra cheese please.", " ", "That is\nall.", "<b>Yes</b> that is right.")
    TranscriptLine.objects.create(call=call, item_id="agent", speaker="agent", text="Hello", spoken_at_ms=0)
    scenario = scenario_from_call(call)
    assert scenario.step_lines == (
        "Two large margherita with extra cheese please.", "That is all.", "<b>Yes</b> that is right.",
    )  # fmt: skip
    assert scenario.expected_order == "2 × large Margherita with extra cheese, thin crust"
    assert (scenario.expected_total, scenario.made_from) == (Decimal("29.70"), call)
    scenario.full_clean()


def test_it_passes_with_the_agent_that_answered(call: Call) -> None:
    say(call, "Two large margherita with extra cheese please.", "That is all.", "Yes that is right.")
    scenario = scenario_from_call(call)
    runs = run_all(scenario.agent)
    assert {run.verdict for run in runs.values()} == {Verdict.PASSED}


def test_pressed_twice_it_has_another_name(call: Call) -> None:
    say(call, "Hello")
    first, second = scenario_from_call(call), scenario_from_call(call)
    assert second.name == f"{first.name} (2)"


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("An oil change on Thursday at nine.", "Oil change on Thursday at 09:00"),
        ("An oil change tomorrow at 9.", "Oil change at 09:00"),
        ("An oil change as soon as possible.", "Oil change"),
    ],
)
def test_the_rule_of_a_time_is_what_the_caller_named(call: Call, said: str, rule: str) -> None:
    assert call.organization is not None
    start = dt.datetime(2026, 12, 3, 8, 0, tzinfo=dt.UTC)  # a Thursday, at nine in Berlin
    Appointment.objects.create(
        organization=call.organization, number=1, service_name="Oil change", currency="EUR", starts_at=start,
        ends_at=start + dt.timedelta(minutes=30), customer_name="Alice", call=call, made_by="agent",
    )  # fmt: skip
    say(call, said)
    assert scenario_from_call(call).expected_appointments == rule


def test_what_cannot_become_one_says_why(call: Call) -> None:
    with pytest.raises(NoScenario, match="no words of the caller's"):
        scenario_from_call(call)
    say(call, *["Hi"] * (MOST_STEPS + 1))
    with pytest.raises(NoScenario, match="41 times"):
        scenario_from_call(call)
    call.agent = None
    with pytest.raises(NoScenario, match="deleted"):
        scenario_from_call(call)
    call.state = CallState.CONNECTED
    with pytest.raises(NoScenario, match="in progress"):
        scenario_from_call(call)


def test_a_caller_who_is_deleted_takes_the_scenarios_along(call: Call) -> None:
    say(call, "Hello, I am Alice Miller.")
    scenario_from_call(call)
    assert call.organization is not None
    request = CallerRequest.objects.create(organization=call.organization, number=call.caller_number)
    start_deletion(request, by="alice")
    outbox.process_due()
    request.refresh_from_db()
    assert (request.state, Scenario.objects.count()) == ("deleted", 0)
    assert request.deleted["scenarios"] == 1
