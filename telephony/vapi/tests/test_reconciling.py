"""Reports that no webhook brought are requested from VAPI: bounded, later and later, and harmless when repeated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState, TranscriptLine
from telephony.tasks import reconcile_calls_at_vapi
from telephony.vapi.legs import open_leg
from telephony.vapi.models import VapiLeg
from telephony.vapi.reconciliation import MAX_AT_ONCE, WAITS_S, reconcile_vapi_calls
from voiceapp.celery import app
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.running import running_vapi

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "vapi-private-key"
ASSISTANT: dict[str, object] = {"firstMessage": "Hello."}


@pytest.fixture
def simulator(account: Settings) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        account.VAPI_API_KEY, account.VAPI_BASE_URL = KEY, running.base_url
        yield running


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=True) as traveller:
        yield traveller


def make_leg(call: Call, *, carries_phone: bool = False) -> VapiLeg:
    created = VapiClient.from_settings().create_call(ASSISTANT)
    return open_leg(call.pk, created.id, carries_phone=carries_phone)


def over(call: Call) -> None:
    Call.objects.filter(pk=call.pk).update(
        state=CallState.COMPLETED, end_reason=EndReason.CALLER_HUNG_UP, ended_at=timezone.now()
    )


def finish_at_vapi(simulator: VapiSimulator, leg: VapiLeg, reason: str = "customer-ended-call") -> None:
    at_vapi = simulator.calls[leg.vapi_id]
    at_vapi.begin()
    at_vapi.transcript.add_agent("Hello.", is_verbatim=True, duration_ms=900)
    at_vapi.transcript.add_caller("a pizza", "A pizza.", duration_ms=900)
    at_vapi.finish(reason)


def travel(traveller: time_machine.Traveller, **by: float) -> None:
    traveller.move_to(dt.datetime.now(dt.UTC) + dt.timedelta(**by))


def test_a_close_without_a_report_is_made_good(
    simulator: VapiSimulator, call: Call, later: time_machine.Traveller
) -> None:
    leg = make_leg(call)
    finish_at_vapi(simulator, leg)
    over(call)
    travel(later, seconds=50)
    assert reconcile_vapi_calls() == 0  # the report may still come
    travel(later, minutes=3)
    assert reconcile_calls_at_vapi() == 1
    leg.refresh_from_db()
    assert (leg.status, leg.ended_reason) == ("ended", "customer-ended-call")
    assert leg.cost_usd is not None
    assert leg.reported_at is not None
    assert list(TranscriptLine.objects.values_list("text", flat=True)) == ["Hello.", "A pizza."]
    assert CallEvent.objects.filter(kind="vapi_report").count() == 1
    call.refresh_from_db()
    assert (call.state, call.cost_usd) == (CallState.COMPLETED, leg.cost_usd)
    assert reconcile_vapi_calls() == 0


def test_a_live_call_is_left_alone(simulator: VapiSimulator, call: Call, later: time_machine.Traveller) -> None:
    make_leg(call)
    travel(later, hours=1)
    assert reconcile_vapi_calls() == 0
    assert VapiLeg.objects.get().checks == 0


def test_a_call_that_goes_on_at_vapi_is_ended_there(
    simulator: VapiSimulator, call: Call, later: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def end_call(self: VapiClient, at_vapi: object) -> bool:
        ended.append(getattr(at_vapi, "id", ""))
        return True

    monkeypatch.setattr(VapiClient, "end_call", end_call)
    leg = make_leg(call)
    simulator.calls[leg.vapi_id].begin()
    over(call)
    travel(later, minutes=3)
    assert reconcile_vapi_calls() == 0
    assert ended == [leg.vapi_id]
    assert CallEvent.objects.filter(kind="vapi_call_ended_by_us").exists()
    assert VapiLeg.objects.get().check_at is not None


def test_vapi_away_is_tried_again_later_and_later_and_then_given_up(
    simulator: VapiSimulator, call: Call, account: Settings, later: time_machine.Traveller
) -> None:
    leg = make_leg(call)
    over(call)
    account.VAPI_BASE_URL = simulator.fault_url("refuse=503")
    travel(later, minutes=3)
    waits = []
    for _ in range(len(WAITS_S)):
        asked_at = timezone.now()
        assert reconcile_vapi_calls() == 0
        leg.refresh_from_db()
        assert leg.check_at is not None
        waits.append((leg.check_at - asked_at).total_seconds())
        assert reconcile_vapi_calls() == 0  # not before it is due
        later.move_to(leg.check_at + dt.timedelta(seconds=1))
    assert [round(wait, -1) for wait in waits] == list(WAITS_S)
    reconcile_vapi_calls()
    leg.refresh_from_db()
    assert (leg.check_at, leg.reported_at, leg.checks) == (None, None, len(WAITS_S) + 1)
    assert CallEvent.objects.filter(kind="vapi_report_missing").count() == 1


def test_a_call_that_vapi_does_not_know_is_not_asked_for_again(
    simulator: VapiSimulator, call: Call, later: time_machine.Traveller
) -> None:
    open_leg(call.pk, "1f0e2d3c-0000-4000-8000-000000000000")
    over(call)
    travel(later, minutes=3)
    assert reconcile_vapi_calls() == 0
    assert (VapiLeg.objects.get().status, VapiLeg.objects.get().check_at) == ("not-found", None)


def test_without_a_key_nothing_is_asked(call: Call, account: Settings, later: time_machine.Traveller) -> None:
    account.VAPI_API_KEY = ""
    open_leg(call.pk, "vapi-1")
    over(call)
    travel(later, minutes=3)
    assert reconcile_vapi_calls() == 0
    assert VapiLeg.objects.get().checks == 0


def test_a_run_is_bounded(simulator: VapiSimulator, call: Call, later: time_machine.Traveller) -> None:
    for number in range(MAX_AT_ONCE + 3):
        open_leg(call.pk, f"vapi-{number}")
    over(call)
    travel(later, minutes=3)
    reconcile_vapi_calls()
    assert VapiLeg.objects.filter(status="not-found").count() == MAX_AT_ONCE


def test_a_phone_call_that_vapi_carries_is_ended_by_what_vapi_says(
    simulator: VapiSimulator, call: Call, later: time_machine.Traveller
) -> None:
    leg = make_leg(call, carries_phone=True)
    travel(later, minutes=3)
    assert reconcile_vapi_calls() == 0  # it goes on
    assert Call.objects.get().is_live
    finish_at_vapi(simulator, leg, "assistant-ended-call")
    travel(later, minutes=6)
    assert reconcile_vapi_calls() == 1
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.AGENT_HUNG_UP)


def test_a_phone_call_that_vapi_does_not_know_is_over(
    simulator: VapiSimulator, call: Call, later: time_machine.Traveller
) -> None:
    open_leg(call.pk, "1f0e2d3c-0000-4000-8000-000000000000", carries_phone=True)
    travel(later, minutes=3)
    reconcile_vapi_calls()
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.PROVIDER_FAILED)


def test_a_phone_call_is_given_up_after_the_longest_call(
    simulator: VapiSimulator, call: Call, account: Settings, later: time_machine.Traveller
) -> None:
    make_leg(call, carries_phone=True)
    account.VAPI_BASE_URL = simulator.fault_url("refuse=503")
    travel(later, hours=13)
    reconcile_vapi_calls()
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.LOST_PROCESS)


def test_it_runs_every_thirty_seconds() -> None:
    assert app.conf.beat_schedule["reconcile-vapi-calls"]["schedule"] == 30.0
