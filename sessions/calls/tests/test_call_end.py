"""A call ends once: by whom, in which state, and never again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import LIVE_STATES, TERMINAL_STATES, Call, CallEvent, CallState
from sessions.calls.services import LEASE, finish_call, live_calls_of, record_event, renew_leases

STATES_OF_CONNECTED = {
    EndReason.CALLER_HUNG_UP: "completed",
    EndReason.AGENT_HUNG_UP: "completed",
    EndReason.TRANSFERRED: "completed",
    EndReason.NOBODY_THERE: "completed",
    EndReason.CALLER_SILENT: "completed",
    EndReason.TOO_LONG: "completed",
    EndReason.BUDGET_USED: "completed",
    EndReason.HUNG_UP_BY_OPERATOR: "completed",
    EndReason.ENDED_BY_REQUEST: "completed",
    EndReason.ROOM_CLOSED: "completed",
    EndReason.AGENT_NOT_DISPATCHED: "failed",
    EndReason.AGENT_NEVER_JOINED: "failed",
    EndReason.AGENT_LOST: "failed",
    EndReason.PHONE_NOT_REACHED: "failed",
    EndReason.ROOM_NOT_OPENED: "failed",
    EndReason.FAILED_BY_REQUEST: "failed",
    EndReason.PAGE_CHANGED_SESSION: "failed",
    EndReason.BROWSER_NEVER_JOINED: "missed",
    EndReason.PROVIDER_FAILED: "failed",
    EndReason.PROVIDER_REFUSED: "failed",
    EndReason.STREAM_LOST: "failed",
    EndReason.SERVER_STOPPING: "failed",
    EndReason.LOST_PROCESS: "failed",
    EndReason.CLOSED_HOURS: "missed",
    EndReason.AGENT_PAUSED: "missed",
    EndReason.AGENT_NOT_PUBLISHED: "missed",
    EndReason.NO_AGENT: "missed",
    EndReason.NUMBER_SWITCHED_OFF: "missed",
    EndReason.LINE_FULL: "missed",
    EndReason.UNKNOWN_NUMBER: "missed",
    EndReason.NOT_ANSWERED: "missed",
}


def a_call(state: str = "connected", **fields: object) -> Call:
    return Call.objects.create(state=state, **fields)


@pytest.mark.django_db
@pytest.mark.parametrize("reason", EndReason)
def test_the_reason_decides_the_state(reason: EndReason) -> None:
    call = a_call(lease_expires_at=timezone.now())

    assert finish_call(call.id, reason=reason)

    call.refresh_from_db()
    assert call.state == STATES_OF_CONNECTED[reason]
    assert call.end_reason == reason
    assert call.ended_at is not None
    assert call.lease_expires_at is None
    assert CallEvent.objects.get(call=call).detail == {"reason": reason.value}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["pending", "ringing"])
def test_a_call_that_was_never_connected_is_missed_when_the_caller_hangs_up(state: str) -> None:
    call = a_call(state)

    finish_call(call.id, reason=EndReason.CALLER_HUNG_UP)

    call.refresh_from_db()
    assert call.state == "missed"


@pytest.mark.django_db
@pytest.mark.parametrize("state", TERMINAL_STATES)
def test_an_ended_call_keeps_its_state_and_reason(state: CallState) -> None:
    call = a_call(state, end_reason=EndReason.TOO_LONG)

    assert not finish_call(call.id, reason=EndReason.LOST_PROCESS)

    call.refresh_from_db()
    assert (call.state, call.end_reason) == (state, "too_long")
    assert not call.events.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_end_a_call_one_does() -> None:
    call = a_call()

    def end(reason: EndReason) -> bool:
        try:
            return finish_call(call.id, reason=reason)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        ended = list(threads.map(end, [EndReason.CALLER_HUNG_UP, EndReason.LOST_PROCESS] * 6))

    assert sum(ended) == 1
    assert call.events.count() == 1


@pytest.mark.django_db
def test_only_live_calls_count_for_an_organization() -> None:
    alice = Organization.objects.create(name="Alice's", slug="alices")
    bob = Organization.objects.create(name="Bob's", slug="bobs")
    for state in (*LIVE_STATES, *TERMINAL_STATES):
        a_call(state, organization=alice)
        a_call(state, organization=alice, kind="room")

    assert live_calls_of(alice) == 3
    assert live_calls_of(bob) == 0


@pytest.mark.django_db
def test_renewing_leases_names_the_calls_that_still_live() -> None:
    mine, ended, other = a_call(), a_call("failed"), a_call()

    assert renew_leases([mine.id, ended.id]) == {mine.id}

    mine.refresh_from_db()
    ended.refresh_from_db()
    other.refresh_from_db()
    assert mine.lease_expires_at is not None
    assert timedelta() <= timezone.now() + LEASE - mine.lease_expires_at < timedelta(seconds=5)
    assert ended.lease_expires_at is None
    assert other.lease_expires_at is None
    assert renew_leases([]) == set()


@pytest.mark.django_db
def test_an_event_is_a_line_of_the_timeline() -> None:
    call = a_call()

    record_event(call.id, "transferred", {"target": "front-desk"})

    event = call.events.get()
    assert (event.kind, event.detail) == ("transferred", {"target": "front-desk"})
