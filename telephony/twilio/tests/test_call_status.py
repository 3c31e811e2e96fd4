"""`POST /twilio/call-status`: any order, any number of times, one end."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import format_datetime

import pytest
from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from telephony.events.models import ProviderEvent
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.admission import open_call
from telephony.twilio.services.follow_ups import set_follow_up
from telephony.twilio.services.statuses import note_call_status
from telephony.twilio.services.streams import TokenRefused, redeem_token
from telephony.twilio.tokens import token_for

from .conftest import ACCOUNT_SID, CALL_SID, STREAM_SID, Twilio, a_ring

pytestmark = pytest.mark.django_db


def note(status: str, sequence: int) -> Callable[[], object]:
    return lambda: note_call_status(CALL_SID, status=status, sequence=sequence, duration_s=None)


def connect() -> None:
    stream = MediaStream.objects.filter(call__carrier_sid=CALL_SID).first()
    if stream is not None:
        with contextlib.suppress(TokenRefused):
            redeem_token(
                token_for(stream.id), call_sid=CALL_SID, account_sid=ACCOUNT_SID, stream_sid=STREAM_SID, hints={}
            )


EVENTS: dict[str, Callable[[], object]] = {
    "webhook": lambda: open_call(a_ring()),
    "stream": connect,
    "initiated": note("initiated", 0),
    "ringing": note("ringing", 1),
    "in-progress": note("in-progress", 2),
    "completed": note("completed", 3),
}


def in_every_order(happened: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Let the events happen in every order. What orders begin with alike happens once, and is taken back after them."""
    if len(happened) == len(EVENTS):
        yield happened
    for name in EVENTS.keys() - set(happened):
        savepoint = transaction.savepoint()
        EVENTS[name]()
        yield from in_every_order((*happened, name))
        transaction.savepoint_rollback(savepoint)


@pytest.mark.embedded
def test_in_each_of_the_720_orders_the_call_ends_once_and_stays_ended(line: PhoneNumber) -> None:
    ends: Counter[tuple[str, str]] = Counter()
    left = Call.objects.annotate(
        ended=Count("events", filter=Q(events__kind="ended"), distinct=True),
        provider_event_count=Count("provider_events", distinct=True),
    ).values_list("state", "end_reason", "ended", "provider_event_count")
    for order in in_every_order():
        state, reason, ended, provider_event_count = left.get()
        assert (ended, provider_event_count) == (1, 4), order
        was_connected = order.index("webhook") < order.index("stream") < order.index("completed")
        assert state == (CallState.COMPLETED if was_connected else CallState.MISSED), order
        ends[(state, reason)] += 1
    assert ends == {
        (CallState.COMPLETED, EndReason.CALLER_HUNG_UP): 120,
        (CallState.MISSED, EndReason.CALLER_HUNG_UP): 240,
        (CallState.MISSED, EndReason.NOT_ANSWERED): 360,
    }


def test_a_status_said_twice_is_kept_once(twilio: Twilio, call: Call) -> None:
    for _ in range(3):
        response = twilio.post("/twilio/call-status", CallStatus="completed", SequenceNumber="3", CallDuration="12")
        assert response.status_code == 204
    assert ProviderEvent.objects.get().fields == {"sequence": 3, "duration_s": 12}
    assert call.events.filter(kind="ended").count() == 1


@pytest.mark.parametrize(
    ("follow_up", "reason", "state"),
    [
        (FollowUp.NOTHING, EndReason.CALLER_HUNG_UP, CallState.COMPLETED),
        (FollowUp.HANG_UP, EndReason.AGENT_HUNG_UP, CallState.COMPLETED),
        (FollowUp.HAND_OVER, EndReason.TRANSFERRED, CallState.COMPLETED),
        (FollowUp.FALL_BACK, EndReason.PROVIDER_FAILED, CallState.FAILED),
    ],
)
def test_the_reason_is_what_had_been_decided(
    twilio: Twilio, stream: MediaStream, follow_up: FollowUp, reason: EndReason, state: CallState
) -> None:
    connect()
    set_follow_up(stream.id, follow_up)
    twilio.post("/twilio/call-status", CallStatus="completed", SequenceNumber="3")
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (state, reason)


@pytest.mark.parametrize("status", ["busy", "no-answer", "canceled", "failed"])
def test_a_call_that_never_connected_is_missed(twilio: Twilio, call: Call, status: str) -> None:
    twilio.post("/twilio/call-status", CallStatus=status)
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (CallState.MISSED, EndReason.NOT_ANSWERED)


def test_a_connected_call_that_the_carrier_lost_has_failed(twilio: Twilio, stream: MediaStream) -> None:
    connect()
    twilio.post("/twilio/call-status", CallStatus="failed")
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.STREAM_LOST)


@pytest.mark.parametrize("status", ["", "melting", "COMPLETED", "completed\x00x", "-", "in-progress"])
def test_an_unknown_status_changes_no_state(twilio: Twilio, call: Call, status: str) -> None:
    assert twilio.post("/twilio/call-status", CallStatus=status, SequenceNumber="-1").status_code == 204
    call.refresh_from_db()
    assert call.state == CallState.RINGING


def test_a_status_of_a_call_of_another_organization_is_not_found(
    twilio: Twilio, call: Call, strangers_line: PhoneNumber
) -> None:
    path = f"/twilio/call-status?orgId={strangers_line.organization_id}"
    assert twilio.post(path, CallStatus="completed").status_code == 404
    call.refresh_from_db()
    assert call.is_live


def test_a_failed_handshake_is_on_the_timeline_once(twilio: Twilio, call: Call) -> None:
    for _ in range(2):
        response = twilio.post(
            "/twilio/stream-status", StreamSid=STREAM_SID, StreamEvent="stream-error", StreamError="31920: no\x00 101"
        )
        assert response.status_code == 204
    assert call.events.get(kind="stream_error").detail == {"error": "31920: no 101"}


def test_a_stopped_stream_has_an_end(twilio: Twilio, stream: MediaStream) -> None:
    for event in ("stream-stopped", "stream-started", "stream-melted"):
        assert twilio.post("/twilio/stream-status", StreamSid=STREAM_SID, StreamEvent=event).status_code == 204
    stream.refresh_from_db()
    assert stream.ended_at is not None
    assert ProviderEvent.objects.count() == 2


def test_the_end_of_another_stream_of_the_call_is_not_the_end_of_the_one_that_speaks(
    twilio: Twilio, stream: MediaStream
) -> None:
    connect()
    other = "MZ" + "9" * 32
    twilio.post("/twilio/stream-status", StreamSid=other, StreamEvent="stream-stopped")
    stream.refresh_from_db()
    assert stream.ended_at is None
    twilio.post("/twilio/stream-status", StreamSid=stream.stream_sid, StreamEvent="stream-stopped")
    stream.refresh_from_db()
    assert stream.ended_at is not None


def test_a_stream_id_that_comes_again_in_another_call_is_noted_there_too(twilio: Twilio, call: Call) -> None:
    second = Call.objects.create(
        organization=call.organization, agent=call.agent, carrier_sid="CA" + "7" * 32, state=CallState.RINGING
    )
    for each in (call, second):
        twilio.post(
            "/twilio/stream-status", CallSid=each.carrier_sid or "", StreamSid=STREAM_SID, StreamEvent="stream-error"
        )
        assert each.events.filter(kind="stream_error").count() == 1


def test_a_stream_of_an_unknown_call_is_not_found(twilio: Twilio, db: None) -> None:
    assert twilio.post("/twilio/stream-status", StreamEvent="stream-started").status_code == 404


@pytest.mark.parametrize("late_s", [0, 52, 600])
def test_a_status_that_comes_late_ends_the_call_when_it_ended(line: PhoneNumber, late_s: int) -> None:
    open_call(a_ring())
    connect()
    Call.objects.update(
        created_at=F("created_at") - dt.timedelta(hours=1), connected_at=timezone.now() - dt.timedelta(hours=1)
    )
    ended_at = (timezone.now() - dt.timedelta(seconds=late_s)).replace(microsecond=0)
    note_call_status(CALL_SID, status="completed", sequence=3, duration_s=None, at=ended_at)
    call = Call.objects.get()
    assert call.ended_at
    assert dt.timedelta(0) <= call.ended_at - ended_at < dt.timedelta(seconds=1)


@pytest.mark.parametrize("when", ["", "soon", "Mon, 99 Foo 2026 99:99:99 +0000", "Sat, 01 Jan 2050 00:00:00 +0000"])
def test_a_time_that_is_none_or_cannot_be_is_now(twilio: Twilio, line: PhoneNumber, when: str) -> None:
    open_call(a_ring())
    connect()
    answer = twilio.post("/twilio/call-status", CallStatus="completed", SequenceNumber="3", Timestamp=when)
    assert answer.status_code == 204
    call = Call.objects.get()
    assert call.ended_at
    assert abs(timezone.now() - call.ended_at) < dt.timedelta(seconds=5)


def test_the_time_of_a_status_is_read_as_twilio_writes_it(twilio: Twilio, line: PhoneNumber) -> None:
    open_call(a_ring())
    connect()
    Call.objects.update(
        created_at=F("created_at") - dt.timedelta(hours=1), connected_at=timezone.now() - dt.timedelta(hours=1)
    )
    ended_at = (timezone.now() - dt.timedelta(minutes=5)).replace(microsecond=0)
    twilio.post("/twilio/call-status", CallStatus="completed", SequenceNumber="3", Timestamp=format_datetime(ended_at))
    call = Call.objects.get()
    assert call.ended_at
    assert dt.timedelta(0) <= call.ended_at - ended_at < dt.timedelta(seconds=1)
