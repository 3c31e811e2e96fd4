"""A call to a number of VAPI's: which assistant answers it, and to whom it is transferred."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.configuration.models import Agent, AgentVersion
from agents.hours.models import SpecialDay
from agents.organizations.models import Organization
from agents.tests.builders import make_agent, make_organization
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.services.lost_calls import close_lost_calls
from telephony.vapi import inbound
from telephony.vapi.models import SyncedAssistant, VapiLeg

from .sender import PATH, VapiSender, artifact, tool_calls

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+493012345678"
CALLER = "+4915112345678"


@pytest.fixture
def organization(call: Call) -> Organization:
    """Alice's restaurant, whose other call is over."""
    Call.objects.all().delete()
    assert call.organization is not None
    PhoneNumber.objects.create(number=NUMBER, organization=call.organization)
    return call.organization


@pytest.fixture
def caller(live_server: LiveServer, organization: Organization) -> Iterator[VapiSender]:
    """VAPI, at which somebody calls."""
    sender = VapiSender(live_server.url)
    yield sender
    sender.close()


def ring(sender: VapiSender, *, dialed: str = NUMBER, **more: Any) -> dict[str, Any]:
    response = sender.send(
        "assistant-request",
        phoneNumber={"id": "pn_1", "number": dialed, "provider": "twilio"},
        customer={"number": CALLER},
        **more,
    )
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def test_the_agent_of_the_dialed_number_answers(caller: VapiSender, organization: Organization) -> None:
    answer = ring(caller)
    call = Call.objects.get()
    assert (call.organization, call.state, call.dialed_number, call.caller_number) == (
        organization, CallState.RINGING, NUMBER, CALLER,
    )  # fmt: skip
    assert (call.carrier_sid, call.lease_expires_at, call.process) == (caller.call_id, None, "")
    assert VapiLeg.objects.get().carries_phone
    assert not MediaStream.objects.exists()
    assistant = answer["assistant"]
    prompt = assistant["model"]["messages"][0]["content"]
    assert prompt.startswith("You are Giulia.")
    assert "Margherita" in prompt
    assert assistant["metadata"]["callId"] == str(call.pk)
    assert assistant["firstMessage"] == "Hello! How can I help you?"
    assert assistant["server"]["url"] == "https://voice.example.com/vapi/webhook"
    assert {tool["function"]["name"] for tool in assistant["model"]["tools"]} >= {"change_order", "transfer_call"}


def test_its_stored_assistant_is_completed_with_what_is_live(caller: VapiSender, organization: Organization) -> None:
    agent = Agent.objects.get()
    AgentVersion.objects.update(provider="vapi")
    SyncedAssistant.objects.create(agent=agent, assistant_id="assistant-1", version=1)
    answer = ring(caller)
    assert answer["assistantId"] == "assistant-1"
    overrides = answer["assistantOverrides"]
    assert "Margherita" in overrides["variableValues"]["live_facts"]
    assert "Now it is" in overrides["variableValues"]["live_facts"]
    assert overrides["metadata"]["callId"] == str(Call.objects.get().pk)
    # What was changed at VAPI stays in force, except that VAPI records only if the agent says so.
    assert set(overrides) == {"variableValues", "metadata", "artifactPlan"}
    assert overrides["artifactPlan"] == {"recordingEnabled": False}


def test_an_assistant_of_an_earlier_version_does_not_answer(caller: VapiSender) -> None:
    AgentVersion.objects.update(provider="vapi")
    SyncedAssistant.objects.create(agent=Agent.objects.get(), assistant_id="assistant-1", version=7)
    assert "assistant" in ring(caller)


def test_the_assistant_that_the_agent_names_comes_first(caller: VapiSender) -> None:
    Agent.objects.update(vapi_assistant_id="of-alice")
    AgentVersion.objects.update(provider="vapi")
    SyncedAssistant.objects.create(agent=Agent.objects.get(), assistant_id="assistant-1", version=1)
    assert ring(caller)["assistantId"] == "of-alice"


def test_another_organizations_assistant_plays_no_agent_of_this_one(caller: VapiSender) -> None:
    other = make_agent(make_organization("Osteria Charlie"), name="Charlie")
    SyncedAssistant.objects.create(agent=other, assistant_id="of-charlie", version=1)
    Agent.objects.exclude(pk=other.pk).update(vapi_assistant_id="of-charlie")
    AgentVersion.objects.update(provider="vapi")
    assert ring(caller).get("assistantId") != "of-charlie"


def test_a_repeated_request_opens_one_call(caller: VapiSender) -> None:
    answers = [ring(caller) for _ in range(3)]
    assert len({answer["assistant"]["metadata"]["callId"] for answer in answers}) == 1
    assert Call.objects.count() == 1


def test_closed_hours_are_said(caller: VapiSender, organization: Organization) -> None:
    today = timezone.now().astimezone(organization.zone).date()
    for day in (today, today + dt.timedelta(days=1)):
        SpecialDay.objects.create(organization=organization, date=day, note="closed")
    answer = ring(caller)
    assert set(answer) == {"error"}
    assert "closed" in answer["error"].lower()
    assert Call.objects.get().end_reason == EndReason.CLOSED_HOURS


@pytest.mark.parametrize(
    ("dialed", "reason"),
    [("+4930999", EndReason.UNKNOWN_NUMBER), ("", EndReason.UNKNOWN_NUMBER)],
)
def test_an_unknown_number_is_refused_with_a_sentence(caller: VapiSender, dialed: str, reason: EndReason) -> None:
    answer = ring(caller, dialed=dialed)
    assert answer == {"error": "This number is not in service. Goodbye."}
    assert Call.objects.get().end_reason == reason


def test_a_paused_agent_does_not_answer(caller: VapiSender) -> None:
    Agent.objects.update(is_paused=True)
    assert "Nobody can take your call" in ring(caller)["error"]


def test_a_full_line_is_busy(caller: VapiSender, organization: Organization) -> None:
    Organization.objects.update(max_live_calls=0)
    assert "busy" in ring(caller)["error"]


@pytest.mark.parametrize("fields", [{"call": None}, {"call": {"id": ""}}, {"call": {"id": 5}}])
def test_a_request_without_a_call_is_refused(caller: VapiSender, fields: dict[str, Any]) -> None:
    assert set(ring(caller, **fields)) == {"error"}
    assert not Call.objects.exists()


def test_the_caller_hears_a_sentence_while_the_database_is_away(
    caller: VapiSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(inbound, "open_call", fail)
    assert set(ring(caller)) == {"error"}


def test_a_slow_answer_is_given_up_in_time(caller: VapiSender, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr("telephony.vapi.webhooks.ANSWER_WITHIN_S", 0.3)
    monkeypatch.setattr(inbound, "brief", lambda call: goes_on.wait(60))
    began = time.monotonic()
    assert set(ring(caller)) == {"error"}
    assert time.monotonic() - began < 15
    goes_on.set()


def test_the_reaper_leaves_such_a_call_to_vapi(caller: VapiSender) -> None:
    ring(caller)
    Call.objects.update(created_at=timezone.now() - dt.timedelta(hours=1))
    assert close_lost_calls() == 0
    caller.send("status-update", status="in-progress")
    inbox.process_due(["vapi"])
    Call.objects.update(connected_at=timezone.now() - dt.timedelta(hours=1))
    assert close_lost_calls() == 0
    assert Call.objects.get().state == CallState.CONNECTED


def test_it_is_noted_in_the_inbox(caller: VapiSender) -> None:
    ring(caller)
    noted = ProviderEvent.objects.get()
    assert (noted.kind, noted.state, noted.call, noted.fields["answer"]) == (
        "assistant-request", "done", Call.objects.get(), ["assistant"],
    )  # fmt: skip


# Transfers


@pytest.fixture
def desk(organization: Organization) -> TransferTarget:
    return TransferTarget.objects.create(
        organization=organization, slug="front-desk", name="the front desk", number="+493087654321"
    )


def closed_today(organization: Organization, target: TransferTarget) -> None:
    local = timezone.now().astimezone(organization.zone)
    target.hours.create(weekday=(local.weekday() + 3) % 7, opens_at=dt.time(9), closes_at=dt.time(10))


def requested(*arguments: dict[str, Any]) -> dict[str, Any]:
    """As the last tool calls of the conversation, which VAPI sends along."""
    report = artifact("b: Hello!", "u: A person, please.")
    calls = tool_calls([(f"c{number}", "transferCall", each) for number, each in enumerate(arguments)])["toolCallList"]
    report["artifact"]["messages"].append({"role": "tool_calls", "toolCalls": calls})
    return report


def destination(sender: VapiSender, **fields: Any) -> dict[str, Any]:
    response = sender.send("transfer-destination-request", **fields)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def test_a_transfer_goes_to_the_target_of_that_id(caller: VapiSender, desk: TransferTarget) -> None:
    ring(caller)
    answer = destination(caller, **requested({"target": "front-desk"}))
    assert answer["destination"] == {"type": "number", "number": "+493087654321", "callerId": NUMBER}
    assert "front desk" in answer["message"]["content"]
    call = Call.objects.get()
    assert call.transferred_to == "the front desk"
    assert CallEvent.objects.get(kind="transfer_at_vapi").detail == {"target": "front-desk"}


@pytest.mark.parametrize("target", ["+4990012345", "sip:x@example.com", "back-office", "front-desk\nx", "x" * 500])
def test_a_target_that_is_none_of_ours_is_a_sentence(caller: VapiSender, desk: TransferTarget, target: str) -> None:
    ring(caller)
    answer = destination(caller, **requested({"target": target}))
    assert answer == {"error": "I can connect you to the front desk."}


def test_another_organizations_target_is_none_of_ours(caller: VapiSender) -> None:
    other = Organization.objects.create(name="Osteria", slug="osteria")
    TransferTarget.objects.create(organization=other, slug="chef", name="the chef", number="+493087654321")
    ring(caller)
    assert destination(caller, **requested({"target": "chef"})) == {
        "error": "There is nobody here whom I can connect you to."
    }


def test_nobody_is_rung_outside_their_hours(
    caller: VapiSender, organization: Organization, desk: TransferTarget
) -> None:
    closed_today(organization, desk)
    ring(caller)
    answer = destination(caller, **requested({"target": "front-desk"}))
    assert "not there now" in answer["error"]


def test_a_number_that_must_not_be_dialed_is_not_dialed(caller: VapiSender, desk: TransferTarget) -> None:
    TransferTarget.objects.update(number="+870773111632")
    ring(caller)
    assert set(destination(caller, **requested({"target": "front-desk"}))) == {"error"}


def test_without_an_id_the_last_decision_of_a_tool_counts(
    caller: VapiSender, organization: Organization, desk: TransferTarget
) -> None:
    TransferTarget.objects.create(
        organization=organization, slug="boss", name="the boss", number="+493011111111", is_fallback=True
    )
    ring(caller)
    assert destination(caller)["destination"]["number"] == "+493011111111"  # the fallback
    failed = caller.use("transfer_call", target="front-desk")  # VAPI's control URL cannot be reached
    assert failed["error"] == "I could not connect you just now."
    assert destination(caller)["destination"]["number"] == "+493087654321"


def test_a_transfer_of_an_unknown_call_is_refused(live_server: LiveServer, desk: TransferTarget) -> None:
    stranger = VapiSender(live_server.url)
    assert set(destination(stranger, **requested({"target": "front-desk"}))) == {"error"}
    stranger.close()


def test_the_first_of_a_department_who_may_be_called(
    caller: VapiSender, organization: Organization, desk: TransferTarget
) -> None:
    TransferTarget.objects.update(department="Office", number=NUMBER)  # our own
    TransferTarget.objects.create(
        organization=organization, slug="boss", name="the boss", number="+493011111111", department="Office"
    )
    ring(caller)
    assert destination(caller, **requested({"target": "office"}))["destination"]["number"] == "+493011111111"


def test_a_transfer_counts_in_the_maximum_of_a_day_and_is_refused_at_it(
    caller: VapiSender, desk: TransferTarget, settings: Settings
) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 1
    ring(caller)
    assert "destination" in destination(caller, **requested({"target": "front-desk"}))
    other = VapiSender(caller.url.removesuffix(PATH))
    ring(other)
    assert destination(other, **requested({"target": "front-desk"})) == {
        "error": "I cannot connect you to a person any more today."
    }
    assert "any more today" in other.use("transfer_call", target="front-desk")["error"]
    other.close()
    events = CallEvent.objects.filter(kind="transfer_number_refused")
    assert [event.detail for event in events] == [{"target": "the front desk", "why": "too_many_today"}] * 2
    CallEvent.objects.update(at=timezone.now() - dt.timedelta(hours=25))
    assert "destination" in destination(caller, **requested({"target": "front-desk"}))


def test_a_request_that_vapi_sends_again_counts_once(
    caller: VapiSender, desk: TransferTarget, settings: Settings
) -> None:
    settings.MAX_TRANSFER_CALLS_PER_DAY = 1
    ring(caller)
    body = {"message": caller.message("transfer-destination-request", **requested({"target": "front-desk"}))}
    first, second = (caller.post(body).json() for _ in range(2))
    assert first == second
    assert "destination" in first
    assert CallEvent.objects.filter(kind="transfer_at_vapi").count() == 1
