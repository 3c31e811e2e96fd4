"""How kept events are worked off: in order per room, again after failures, none in another's way for long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.utils import timezone

from telephony.livekit import inbox
from telephony.livekit.inbox import MOST_TRIES, keep_event, work_off, work_off_again
from telephony.livekit.models import ProviderEvent
from voiceapp.providers.errors import ProviderError

pytestmark = pytest.mark.django_db

State = ProviderEvent.State


def keep(key: str, *, lane: str = "harbour") -> None:
    keep_event("livekit", key=key, kind="noted", lane=lane, fields={})


def event(key: str) -> ProviderEvent:
    return ProviderEvent.objects.get(dedup_key=key)


class Desk:
    """Works events off; those in `failing` fail with their error."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.meanwhile: Callable[[str], None] = lambda key: None

    def __call__(self, kept: ProviderEvent) -> None:
        self.seen.append(kept.dedup_key)
        self.meanwhile(kept.dedup_key)
        if kept.dedup_key in self.failing:
            raise self.failing[kept.dedup_key]

    def work_off(self) -> int:
        return work_off({"livekit": self})


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def test_events_are_worked_off_once_in_the_order_of_arrival(desk: Desk) -> None:
    for key in "bac":
        keep(key)
    assert (desk.work_off(), desk.work_off()) == (3, 0)
    assert desk.seen == ["b", "a", "c"]
    assert {(each.state, each.attempts) for each in ProviderEvent.objects.all()} == {("done", 1)}
    assert event("a").worked_at


def test_the_same_event_told_again_is_kept_once_however_often() -> None:
    for _ in range(3):
        keep_event("livekit", key="EV_1", kind="room_started", lane="harbour", fields={"room": {"sid": "RM_1"}})
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("room_finished", {"room": {"sid": "RM_1"}}),
        ("room_started", {"room": {"sid": "RM_2"}}),
        ("room_started", {"room": {"sid": "RM_1"}, "createdAt": "1700000000"}),
    ],
)
def test_an_id_that_comes_again_with_another_content_is_another_event(
    desk: Desk, kind: str, fields: dict[str, object]
) -> None:
    for _ in range(2):
        keep_event("livekit", key="EV_1", kind="room_started", lane="harbour", fields={"room": {"sid": "RM_1"}})
        keep_event("livekit", key="EV_1", kind=kind, lane="harbour", fields=fields)
    assert desk.work_off() == 2
    kept = ProviderEvent.objects.order_by("id")
    assert [(each.kind, each.fields) for each in kept] == [
        ("room_started", {"room": {"sid": "RM_1"}}),
        (kind, fields),
    ]


def test_a_long_id_that_comes_again_fits() -> None:
    for kind in ("one", "two", "two"):
        keep_event("livekit", key="x" * 200, kind=kind, lane="harbour", fields={})
    assert ProviderEvent.objects.count() == 2


def test_events_of_other_companies_are_left_alone(desk: Desk) -> None:
    keep_event("elsewhere", key="a", kind="noted", lane="", fields={})
    ProviderEvent.objects.create(source="livekit", dedup_key="b", kind="noted")
    assert desk.work_off() == 0


def test_what_is_being_worked_off_keeps_its_room_waiting_and_no_other(desk: Desk) -> None:
    keep("first")
    keep("second")
    keep("elsewhere", lane="meadow")
    ProviderEvent.objects.filter(dedup_key="first").update(
        attempts=1, claimed_until=timezone.now() + dt.timedelta(seconds=9)
    )
    desk.work_off()
    assert desk.seen == ["elsewhere"]


def test_a_second_worker_takes_no_event_of_the_same_room_meanwhile(desk: Desk) -> None:
    other = Desk()
    keep("first")
    keep("second")
    keep("elsewhere", lane="meadow")
    desk.meanwhile = lambda key: None if key != "first" else (other.work_off(), None)[1]
    desk.work_off()
    assert (desk.seen, other.seen) == (["first", "second"], ["elsewhere"])


def test_a_worker_that_died_is_followed_by_another_in_the_same_order(desk: Desk, later: time_machine.Traveller) -> None:
    keep("first")
    keep("second")
    ProviderEvent.objects.filter(dedup_key="first").update(attempts=1, claimed_until=timezone.now() + inbox.LEASE)
    assert desk.work_off() == 0
    later.shift(inbox.LEASE)
    desk.work_off()
    assert desk.seen == ["first", "second"]
    assert event("first").attempts == 2


@pytest.mark.parametrize("error", [ProviderError("livekit", "away"), ValueError("a bug")], ids=["away", "a bug"])
def test_an_event_that_fails_is_put_off_and_holds_nobody_up(
    desk: Desk, later: time_machine.Traveller, error: Exception
) -> None:
    desk.failing = {"poison": error}
    keep("poison")
    keep("next")
    keep("elsewhere", lane="meadow")
    desk.work_off()
    assert desk.seen == ["poison", "next", "elsewhere"]
    assert (event("poison").state, event("poison").attempts) == ("waiting", 1)
    assert type(error).__name__ in event("poison").last_error or "away" in event("poison").last_error
    desk.work_off()
    assert desk.seen == ["poison", "next", "elsewhere"]
    desk.failing = {}
    later.shift(inbox.FIRST_WAIT_S)
    assert desk.work_off() == 1
    assert (event("poison").state, event("poison").last_error) == ("done", "")


def test_the_waits_grow_and_the_event_is_given_up(desk: Desk, later: time_machine.Traveller) -> None:
    desk.failing = {"poison": ProviderError("livekit", "away")}
    keep("poison")
    waits = []
    for _ in range(MOST_TRIES):
        assert event("poison").state == State.WAITING
        later.move_to(event("poison").due_at)
        desk.work_off()
        waits.append((event("poison").due_at - timezone.now()).total_seconds())
    assert waits[3] > 2 * waits[0] > 0
    assert (event("poison").state, event("poison").attempts) == ("dead", MOST_TRIES)
    assert event("poison").last_error == "livekit: away"
    later.shift(86_400)
    desk.work_off()
    assert len(desk.seen) == MOST_TRIES


def test_an_event_that_kills_every_worker_is_given_up(desk: Desk, later: time_machine.Traveller) -> None:
    keep("poison")
    keep("next")
    for _ in range(MOST_TRIES):
        assert inbox._claim_next(["livekit"]) == event("poison")  # and then the worker dies
        later.shift(inbox.LEASE)
    desk.work_off()
    assert desk.seen == ["next"]
    assert event("poison").state == State.DEAD
    assert "never returned" in event("poison").last_error


def test_what_was_given_up_can_be_worked_off_again(desk: Desk, woken: list[str]) -> None:
    keep("poison")
    keep("done")
    ProviderEvent.objects.filter(dedup_key="poison").update(state=State.DEAD, attempts=MOST_TRIES, last_error="away")
    ProviderEvent.objects.filter(dedup_key="done").update(state=State.DONE)
    assert work_off_again(ProviderEvent.objects.all()) == 1
    assert desk.work_off() == 1
    assert desk.seen == ["poison"]


def test_a_run_ends_in_time_and_asks_for_the_next(desk: Desk, later: time_machine.Traveller, woken: list[str]) -> None:
    for number in range(5):
        keep(str(number))
    woken.clear()
    desk.meanwhile = lambda key: later.shift(inbox.LONGEST_RUN / 2)
    assert desk.work_off() == 2
    assert woken == ["events"]
    assert desk.work_off() == 2


def test_a_wait_that_the_provider_names_is_kept_to_and_costs_no_try(desk: Desk, later: time_machine.Traveller) -> None:
    desk.failing = {"poison": ProviderError("livekit", "busy", retry_after_s=90)}
    keep("poison")
    for _ in range(2 * MOST_TRIES):
        before = timezone.now()
        desk.work_off()
        assert event("poison").due_at >= before + dt.timedelta(seconds=90)
        later.move_to(event("poison").due_at)
    assert event("poison").state == State.WAITING
    later.shift(inbox.NAMED_WAITS_FOR)
    for _ in range(MOST_TRIES):
        desk.work_off()
        later.move_to(event("poison").due_at)
    assert event("poison").state == State.DEAD
