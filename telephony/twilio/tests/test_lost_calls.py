"""Calls that no process carries any more: closed once the carrier confirms their end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from sessions.calls.models import Call
from telephony.livekit.tests.held_clock import held_clock
from telephony.tasks import reap_lost_calls
from telephony.tests.carrier import Rest, twilio_rest
from telephony.twilio.models import MediaStream

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(settings: Settings) -> Iterator[Rest]:
    with twilio_rest() as rest:
        settings.TWILIO_BASE_URL = rest.base_url
        settings.TWILIO_ACCOUNT_SID = "AC" + "c" * 32
        settings.TWILIO_AUTH_TOKEN = "token"
        yield rest


def a_call(state: str, *, age_s: float, lease_s: float | None = None, sid: str | None = "CA" + "1" * 32) -> Call:
    """Created and, if connected, connected so long ago; its lease runs out in so many seconds."""
    now = timezone.now()
    call = Call.objects.create(
        state=state,
        carrier_sid=sid,
        connected_at=now - timedelta(seconds=age_s) if state == "connected" else None,
        lease_expires_at=None if lease_s is None else now + timedelta(seconds=lease_s),
    )
    Call.objects.filter(id=call.id).update(created_at=now - timedelta(seconds=age_s))
    return call


def outcome(call: Call) -> tuple[str, str]:
    call.refresh_from_db()
    return call.state, call.end_reason


def test_a_call_with_a_lease_is_left_alone_without_a_request_to_the_carrier(carrier: Rest) -> None:
    carrier.status = "completed"
    call = a_call("connected", age_s=600, lease_s=10)

    assert reap_lost_calls() == 0

    assert outcome(call) == ("connected", "")
    assert carrier.lookups == []


@pytest.mark.parametrize("state", ["pending", "ringing", "connected"])
def test_a_call_in_a_room_is_left_to_livekit(carrier: Rest, state: str) -> None:
    call = a_call(state, age_s=6000, sid=None)
    Call.objects.filter(id=call.id).update(kind="room", room_name="harbour")

    assert reap_lost_calls() == 0

    assert outcome(call) == (state, "")
    assert carrier.lookups == []


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
def test_a_lost_call_that_is_over_at_the_carrier_is_closed(carrier: Rest, status: str) -> None:
    carrier.status = status
    call = a_call("connected", age_s=60, lease_s=-1)

    assert reap_lost_calls() == 1

    assert outcome(call) == ("failed", "lost_process")
    assert carrier.updates == []


def test_a_connected_call_whose_lease_was_never_written_is_lost_too(carrier: Rest) -> None:
    carrier.status = "completed"
    old, new = a_call("connected", age_s=50), a_call("connected", age_s=5, sid="CA" + "2" * 32)

    assert reap_lost_calls() == 1

    assert outcome(old) == ("failed", "lost_process")
    assert outcome(new) == ("connected", "")


def test_a_lost_call_that_goes_on_at_the_carrier_is_left_for_a_while_and_then_hung_up(carrier: Rest) -> None:
    young = a_call("connected", age_s=100, lease_s=-10)
    old = a_call("connected", age_s=900, lease_s=-301, sid="CA" + "2" * 32)

    assert reap_lost_calls() == 1

    assert outcome(young) == ("connected", "")
    assert outcome(old) == ("failed", "lost_process")
    assert carrier.updates == ["Status=completed"]


def test_a_lost_call_whose_stream_the_carrier_ended_is_closed_without_a_request(carrier: Rest) -> None:
    call = a_call("connected", age_s=100, lease_s=-10)
    MediaStream.objects.create(call=call, account_sid="AC", expires_at=timezone.now(), ended_at=timezone.now())

    assert reap_lost_calls() == 1

    assert outcome(call) == ("failed", "lost_process")
    assert carrier.updates == carrier.lookups == []


@pytest.mark.parametrize("state", ["pending", "ringing"])
def test_a_call_that_never_began_is_missed(carrier: Rest, state: str) -> None:
    carrier.status = "no-answer"
    young, old = a_call(state, age_s=60), a_call(state, age_s=80, sid="CA" + "2" * 32)

    assert reap_lost_calls() == 1

    assert outcome(young) == (state, "")
    assert outcome(old) == ("missed", "not_answered")


def test_while_the_carrier_is_unreachable_a_call_is_left_but_not_forever(carrier: Rest) -> None:
    carrier.status = None
    young = a_call("connected", age_s=100, lease_s=-10)
    old = a_call("connected", age_s=900, lease_s=-301, sid="CA" + "2" * 32)

    assert reap_lost_calls() == 1

    assert outcome(young) == ("connected", "")
    assert outcome(old) == ("failed", "lost_process")


def test_without_a_carrier_lost_calls_are_closed_at_once(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    call = a_call("connected", age_s=60, lease_s=-1)

    assert reap_lost_calls() == 1

    assert outcome(call) == ("failed", "lost_process")


def test_a_call_of_no_carrier_is_closed_without_a_request(carrier: Rest) -> None:
    call = a_call("pending", age_s=100, sid=None)

    assert reap_lost_calls() == 1

    assert outcome(call) == ("missed", "not_answered")
    assert carrier.lookups == []


# When it ended


def ended_s_ago(call: Call) -> float:
    call.refresh_from_db()
    assert call.ended_at
    return (timezone.now() - call.ended_at).total_seconds()


def test_a_lost_call_ended_when_the_carrier_says_that_it_did(carrier: Rest) -> None:
    carrier.status, carrier.ended_at = "completed", timezone.now() - timedelta(seconds=200)
    call = a_call("connected", age_s=600, lease_s=-100)

    assert reap_lost_calls() == 1

    assert 200 <= ended_s_ago(call) < 202


def test_a_lost_call_ended_when_its_stream_did(carrier: Rest) -> None:
    call = a_call("connected", age_s=600, lease_s=-100)
    ended_at = timezone.now() - timedelta(seconds=70)
    MediaStream.objects.create(call=call, account_sid="AC", expires_at=timezone.now(), ended_at=ended_at)

    assert reap_lost_calls() == 1

    call.refresh_from_db()
    assert call.ended_at == ended_at
    assert call.events.get(kind="ended").at == ended_at


def test_a_lost_call_without_further_reports_ended_when_its_lease_was_last_renewed(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    call = a_call("connected", age_s=600, lease_s=-100)

    assert reap_lost_calls() == 1

    assert 145 <= ended_s_ago(call) < 146  # the lease of 45 s was renewed then


def test_a_lost_call_that_we_hang_up_ends_now(carrier: Rest) -> None:
    call = a_call("connected", age_s=900, lease_s=-301)

    assert reap_lost_calls() == 1

    assert ended_s_ago(call) < 5


def test_no_lost_call_ends_before_it_was_connected_or_in_the_future(carrier: Rest) -> None:
    carrier.status = "completed"
    for ended_at, expected_s in ((timezone.now() + timedelta(hours=1), 0), (timezone.now() - timedelta(days=2), 60)):
        carrier.ended_at = ended_at
        call = a_call("connected", age_s=60, lease_s=-1, sid=None)
        Call.objects.filter(pk=call.pk).update(carrier_sid="CA" + "3" * 32)
        assert reap_lost_calls() == 1
        assert expected_s <= ended_s_ago(call) < expected_s + 5
        Call.objects.all().delete()


@pytest.mark.parametrize("phase_s", [0, 9, 21, 29])
def test_a_call_whose_process_was_killed_is_closed_within_seventy_five_seconds(
    settings: Settings, phase_s: int
) -> None:
    assert "within 75 s" in (settings.BASE_DIR / "docs" / "how-to" / "run-in-production.md").read_text()
    settings.TWILIO_AUTH_TOKEN = ""
    with held_clock(phase_s=phase_s) as clock:
        call = a_call("connected", age_s=0, lease_s=45)
        assert clock.until(lambda: outcome(call)[0] == "failed", at_most_s=120) <= 75
