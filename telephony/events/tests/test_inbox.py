"""Events are processed in order per room and retried after failures; none delays another for long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.utils import timezone

from telephony.events.inbox import Inbox, inbox
from telephony.events.models import ProviderEvent
from voiceapp.providers.errors import ProviderError

pytestmark = pytest.mark.django_db

State = ProviderEvent.State


def store(key: str, *, room: str = "harbour") -> None:
    inbox.store("livekit", dedup_key=key, kind="noted", partition_key=room, fields={})


def event(key: str) -> ProviderEvent:
    return ProviderEvent.objects.get(dedup_key=key)


class Worker:
    """Processes LiveKit's events; those in `failing` fail with their error."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.meanwhile: Callable[[str], None] = lambda key: None
        self._inbox = Inbox(inbox.wake_up)
        self._inbox.register("livekit", self._handle)

    def _handle(self, event: ProviderEvent) -> None:
        self.seen.append(event.dedup_key)
        self.meanwhile(event.dedup_key)
        if event.dedup_key in self.failing:
            raise self.failing[event.dedup_key]

    def process(self) -> int:
        return self._inbox.process_due()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def test_events_are_processed_once_in_the_order_of_arrival(worker: Worker) -> None:
    for key in "bac":
        store(key)
    assert (worker.process(), worker.process()) == (3, 0)
    assert worker.seen == ["b", "a", "c"]
    assert {(each.state, each.attempts) for each in ProviderEvent.objects.all()} == {("done", 1)}
    assert event("a").done_at


def test_an_event_that_is_sent_again_is_stored_once_however_often() -> None:
    for _ in range(3):
        inbox.store(
            "livekit", dedup_key="EV_1", kind="room_started", partition_key="harbour", fields={"room": {"sid": "RM_1"}}
        )
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
    worker: Worker, kind: str, fields: dict[str, object]
) -> None:
    for _ in range(2):
        inbox.store(
            "livekit", dedup_key="EV_1", kind="room_started", partition_key="harbour", fields={"room": {"sid": "RM_1"}}
        )
        inbox.store("livekit", dedup_key="EV_1", kind=kind, partition_key="harbour", fields=fields)
    assert worker.process() == 2
    kept = ProviderEvent.objects.order_by("id")
    assert [(each.kind, each.fields) for each in kept] == [
        ("room_started", {"room": {"sid": "RM_1"}}),
        (kind, fields),
    ]


def test_a_long_id_that_comes_again_fits() -> None:
    for kind in ("one", "two", "two"):
        inbox.store("livekit", dedup_key="x" * 200, kind=kind, partition_key="harbour", fields={})
    assert ProviderEvent.objects.count() == 2


def test_events_of_other_providers_are_left_alone(worker: Worker) -> None:
    inbox.store("elsewhere", dedup_key="a", kind="noted", partition_key="", fields={})
    ProviderEvent.objects.create(source="livekit", dedup_key="b", kind="noted")
    assert worker.process() == 0


def test_an_event_that_is_being_processed_keeps_its_room_waiting_and_no_other(worker: Worker) -> None:
    store("first")
    store("second")
    store("elsewhere", room="meadow")
    ProviderEvent.objects.filter(dedup_key="first").update(
        attempts=1, lease_expires_at=timezone.now() + dt.timedelta(seconds=9)
    )
    worker.process()
    assert worker.seen == ["elsewhere"]


def test_a_second_worker_takes_no_event_of_the_same_room_meanwhile(worker: Worker) -> None:
    other = Worker()
    store("first")
    store("second")
    store("elsewhere", room="meadow")
    worker.meanwhile = lambda key: None if key != "first" else (other.process(), None)[1]
    worker.process()
    assert (worker.seen, other.seen) == (["first", "second"], ["elsewhere"])


def test_a_worker_that_died_is_followed_by_another_in_the_same_order(
    worker: Worker, later: time_machine.Traveller
) -> None:
    store("first")
    store("second")
    ProviderEvent.objects.filter(dedup_key="first").update(attempts=1, lease_expires_at=timezone.now() + inbox.lease)
    assert worker.process() == 0
    later.shift(inbox.lease)
    worker.process()
    assert worker.seen == ["first", "second"]
    assert event("first").attempts == 2


@pytest.mark.parametrize("error", [ProviderError("livekit", "away"), ValueError("a bug")], ids=["away", "a bug"])
def test_an_event_that_failed_is_retried_later_and_delays_no_other(
    worker: Worker, later: time_machine.Traveller, error: Exception
) -> None:
    worker.failing = {"poison": error}
    store("poison")
    store("next")
    store("elsewhere", room="meadow")
    worker.process()
    assert worker.seen == ["poison", "next", "elsewhere"]
    assert (event("poison").state, event("poison").attempts) == ("waiting", 1)
    assert type(error).__name__ in event("poison").last_error or "away" in event("poison").last_error
    worker.process()
    assert worker.seen == ["poison", "next", "elsewhere"]
    worker.failing = {}
    later.shift(inbox.first_wait_s)
    assert worker.process() == 1
    assert (event("poison").state, event("poison").last_error) == ("done", "")


def test_the_waits_grow_and_the_event_fails_for_good(worker: Worker, later: time_machine.Traveller) -> None:
    worker.failing = {"poison": ProviderError("livekit", "away")}
    store("poison")
    waits = []
    for _ in range(inbox.max_attempts):
        assert event("poison").state == State.WAITING
        later.move_to(event("poison").due_at)
        worker.process()
        waits.append((event("poison").due_at - timezone.now()).total_seconds())
    assert waits[3] > 2 * waits[0] > 0
    assert (event("poison").state, event("poison").attempts) == ("failed", inbox.max_attempts)
    assert event("poison").last_error == "livekit: away"
    later.shift(86_400)
    worker.process()
    assert len(worker.seen) == inbox.max_attempts


def test_an_event_that_kills_every_worker_fails_for_good(worker: Worker, later: time_machine.Traveller) -> None:
    store("poison")
    store("next")
    for _ in range(inbox.max_attempts):
        assert inbox._lease_next(["livekit"]) == event("poison")  # and then the worker dies
        later.shift(inbox.lease)
    worker.process()
    assert worker.seen == ["next"]
    assert event("poison").state == State.FAILED
    assert "never returned" in event("poison").last_error


def test_a_failed_event_can_be_retried(worker: Worker, woken: list[str]) -> None:
    store("poison")
    store("done")
    ProviderEvent.objects.filter(dedup_key="poison").update(
        state=State.FAILED, attempts=inbox.max_attempts, last_error="away"
    )
    ProviderEvent.objects.filter(dedup_key="done").update(state=State.DONE)
    assert inbox.retry(ProviderEvent.objects.all()) == 1
    assert worker.process() == 1
    assert worker.seen == ["poison"]


def test_a_run_ends_in_time_and_wakes_up_the_next(
    worker: Worker, later: time_machine.Traveller, woken: list[str]
) -> None:
    for number in range(5):
        store(str(number))
    woken.clear()
    worker.meanwhile = lambda key: later.shift(inbox.max_run / 2)
    assert worker.process() == 2
    assert woken == ["livekit"]
    assert worker.process() == 2


def test_a_wait_that_the_provider_names_is_respected_and_not_counted_as_an_attempt(
    worker: Worker, later: time_machine.Traveller
) -> None:
    worker.failing = {"poison": ProviderError("livekit", "busy", retry_after_s=90)}
    store("poison")
    for _ in range(2 * inbox.max_attempts):
        before = timezone.now()
        worker.process()
        assert event("poison").due_at >= before + dt.timedelta(seconds=90)
        later.move_to(event("poison").due_at)
    assert event("poison").state == State.WAITING
    later.shift(inbox.free_waits_for)
    for _ in range(inbox.max_attempts):
        worker.process()
        later.move_to(event("poison").due_at)
    assert event("poison").state == State.FAILED
