"""Which call a room belongs to, when several had its name."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from sessions.calls.models import Call
from sessions.rooms.queries import claim_room, find_call_of_room

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def ago(seconds: float) -> dt.datetime:
    return NOW - dt.timedelta(seconds=seconds)


def a_call(*, began: float, ended: float | None = None, sid: str = "", name: str = "harbour") -> Call:
    """Began and ended so many seconds ago."""
    call = Call.objects.create(
        kind="room",
        room_name=name,
        room_sid=sid,
        state="ringing" if ended is None else "missed",
        ended_at=None if ended is None else ago(ended),
    )
    Call.objects.filter(pk=call.pk).update(created_at=ago(began))
    return call


def found(sid: str, *, opened: float | None, at: float = 0, name: str = "harbour") -> Call | None:
    return find_call_of_room(name, sid=sid, opened_at=None if opened is None else ago(opened), at=ago(at))


def test_a_room_is_that_of_the_call_that_waits_for_one_and_stays_so() -> None:
    call = a_call(began=10)
    assert found("RM_1", opened=9) == call
    call.refresh_from_db()
    assert call.room_sid == "RM_1"
    assert found("RM_1", opened=9) == call
    assert found("RM_2", opened=5) is None


def test_a_late_word_of_an_earlier_room_does_not_claim_the_call_of_now() -> None:
    earlier, now = a_call(began=600, ended=300), a_call(began=20)
    assert found("RM_1", opened=590) == earlier
    assert found("RM_2", opened=19) == now
    assert found("RM_1", opened=590) == earlier


@pytest.mark.parametrize("opened", [590, 31])
def test_a_room_that_was_opened_before_the_call_is_not_its(opened: float) -> None:
    a_call(began=20)
    assert found("RM_1", opened=opened) is None


@pytest.mark.parametrize("opened", [20.9, 21.5, 29])
def test_clocks_may_differ_a_little(opened: float) -> None:
    call = a_call(began=20)
    assert found("RM_1", opened=opened) == call


def test_a_room_opened_long_after_its_name_was_released_belongs_to_no_call() -> None:
    a_call(began=600, ended=300)
    assert found("RM_1", opened=200) is None


def test_without_a_sid_the_time_decides() -> None:
    earlier, now = a_call(began=600, ended=300, sid="RM_1"), a_call(began=20, sid="RM_2")
    assert found("", opened=None, at=400) == earlier
    assert found("", opened=None, at=5) == now
    assert found("", opened=None, at=900) is None


def test_without_the_time_of_opening_that_of_the_event_decides() -> None:
    call = a_call(began=20)
    assert found("RM_1", opened=None, at=5) == call


def test_other_names_and_no_name_and_phone_calls_are_none() -> None:
    a_call(began=20)
    Call.objects.create(kind="phone", room_name="phone")
    assert found("RM_1", opened=5, name="meadow") is None
    assert found("RM_1", opened=5, name="") is None
    assert found("RM_1", opened=0, name="phone") is None


def test_a_call_has_one_room() -> None:
    call = a_call(began=20)
    same = Call.objects.get()
    assert claim_room(call, "RM_1")
    assert not claim_room(same, "RM_2")
    assert claim_room(same, "RM_1")
