"""What the engine guarantees for every table of jobs, and what its options change. The tables have their own tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.db import DatabaseError, connection, models
from django.test.utils import isolate_apps
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from voiceapp.core.jobs.engine import JobQueue, NotConfigured, Order
from voiceapp.core.jobs.long_jobs import extended_lease
from voiceapp.core.jobs.metrics import JobsCollector
from voiceapp.core.jobs.models import Job
from voiceapp.core.jobs.patience import with_patience
from voiceapp.core.jobs.shared_receiver import SharedReceiver
from voiceapp.providers.errors import ProviderError
from voiceapp.tests.waiting import soon

with isolate_apps():

    class Parcel(Job):
        topic = models.CharField(max_length=20, default="post")
        sender = models.CharField(max_length=20, null=True)
        name = models.CharField(max_length=20)

        class Meta:
            app_label = "jobs_tests"

        def __str__(self) -> str:
            return self.name


class Parcels(JobQueue[Parcel]):
    name = "parcels"
    model = Parcel
    order = Order.UNTIL_DONE
    max_attempts = 3
    lease = dt.timedelta(seconds=10)
    first_wait_s = 4
    longest_wait_s = 60
    gives_up_on_permanent_errors = True


class Courier:
    """Takes parcels; fails with the error that is set for a name, and calls `meanwhile` with each."""

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.meanwhile: Callable[[Parcel], object] = lambda parcel: None

    def __call__(self, parcel: Parcel) -> None:
        self.meanwhile(parcel)
        if error := self.errors.get(parcel.name):
            raise error
        self.delivered.append(parcel.name)


AWAY = ProviderError("post", "away")


@pytest.fixture(autouse=True)
def table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Parcel)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Parcel)


@pytest.fixture
def courier() -> Courier:
    return Courier()


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def parcels(courier: Courier, woken: list[str]) -> Parcels:
    queue = Parcels(woken.append)
    queue.register("post", courier)
    return queue


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def send(*names: str, **fields: object) -> None:
    for name in names:
        Parcel(name=name, **fields).save()


def parcel(name: str) -> Parcel:
    return Parcel._default_manager.get(name=name)


def test_jobs_are_done_once_in_their_order(parcels: Parcels, courier: Courier) -> None:
    send("a", "b", "c")
    assert (parcels.process_due(), parcels.process_due()) == (3, 0)
    assert courier.delivered == ["a", "b", "c"]
    assert (parcel("a").state, parcel("a").attempts, parcel("a").lease_expires_at) == ("done", 1, None)


def test_until_done_a_failed_job_keeps_its_partition_waiting(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    courier.errors = {"a": AWAY}
    send("a", "b")
    send("elsewhere", partition_key="other")
    assert parcels.process_due() == 1
    assert courier.delivered == ["elsewhere"]
    courier.errors = {}
    clock.shift(4)
    assert parcels.process_due() == 2
    assert courier.delivered == ["elsewhere", "a", "b"]


def test_until_attempted_a_failed_job_lets_its_partition_pass(
    parcels: Parcels, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "order", Order.UNTIL_ATTEMPTED)
    courier.errors = {"a": AWAY}
    send("a", "b")
    assert parcels.process_due() == 1
    assert courier.delivered == ["b"]


@pytest.mark.parametrize("order", Order)
def test_no_two_jobs_of_a_partition_are_attempted_at_once(
    parcels: Parcels, courier: Courier, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "order", order)
    other, second = Parcels(lambda topic: None), Courier()
    monkeypatch.setattr(other, "order", order)
    other.register("post", second)
    send("a", "b")
    send("elsewhere", partition_key="other")
    courier.meanwhile = lambda parcel: parcel.name == "a" and other.process_due()
    parcels.process_due()
    assert (courier.delivered, second.delivered) == (["a", "b"], ["elsewhere"])


def test_topics_share_a_table_and_no_partition(parcels: Parcels, courier: Courier) -> None:
    send("a", topic="other topic")
    send("b")
    assert parcels.process_due() == parcels.process_due(["post", "other topic"]) + 1 == 1
    assert courier.delivered == ["b"]


def test_a_job_whose_worker_died_is_attempted_again_when_its_lease_ends(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    send("a")
    for attempt in (1, 2, 3):
        leased = parcels._lease_next(["post"])  # and then the worker dies
        assert leased is not None
        assert leased.attempts == attempt
        assert parcels.process_due() == 0
        clock.shift(parcels.lease)
    assert parcels.process_due() == 0
    assert (parcel("a").state, courier.delivered) == ("failed", [])
    assert parcel("a").last_error == "gave up after 3 attempts; the last one never returned"


def test_a_worker_that_lost_its_lease_changes_nothing(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    send("a")

    def outlived(parcel: Parcel) -> None:
        clock.shift(parcels.lease)
        assert parcels._lease_next(["post"])

    courier.meanwhile = outlived
    parcels.process_due()
    assert (parcel("a").state, parcel("a").attempts) == ("waiting", 2)


def test_back_off_grows_and_the_last_attempt_dead_letters_the_job(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    courier.errors = {"a": AWAY}
    send("a")
    waits = []
    for _ in range(3):
        parcels.process_due()
        waits.append((parcel("a").due_at - timezone.now()).total_seconds())
        clock.move_to(parcel("a").due_at)
    assert 2 <= waits[0] <= 4 <= waits[1] <= 8
    assert (parcel("a").state, parcel("a").last_error) == ("failed", "post: away")


@pytest.mark.parametrize(("gives_up", "state"), [(True, "failed"), (False, "waiting")])
def test_a_permanent_error_ends_the_attempts_where_the_table_says_so(
    parcels: Parcels, courier: Courier, gives_up: bool, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "gives_up_on_permanent_errors", gives_up)
    courier.errors = {"a": ProviderError("post", "no such street", permanent=True)}
    send("a")
    parcels.process_due()
    assert parcel("a").state == state


def test_a_wait_that_the_receiver_names_is_respected_and_not_counted_for_a_day(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    courier.errors = {"a": ProviderError("post", "busy", retry_after_s=90)}
    send("a")
    for _ in range(5):
        parcels.process_due()
        assert parcel("a").due_at >= timezone.now() + dt.timedelta(seconds=90)
        clock.move_to(parcel("a").due_at)
    assert (parcel("a").state, parcel("a").attempts) == ("waiting", 0)
    clock.shift(parcels.free_waits_for)
    for _ in range(3):
        parcels.process_due()
        clock.move_to(parcel("a").due_at)
    assert parcel("a").state == "failed"


def test_a_job_without_a_receiver_is_unconfigured_until_it_is_retried(parcels: Parcels, courier: Courier) -> None:
    courier.errors = {"a": NotConfigured("Set an address.")}
    send("a")
    assert (parcels.process_due(), parcels.process_due()) == (0, 0)
    assert (parcel("a").state, parcel("a").last_error) == ("unconfigured", "Set an address.")
    courier.errors = {}
    assert parcels.retry(Parcel._default_manager.all()) == 1
    assert parcels.process_due() == 1


@pytest.mark.parametrize(("sender", "done"), [("alice", ["bob's", "ours"]), (None, ["a", "alice's", "bob's"])])
def test_isolated_jobs_wait_for_the_next_run_after_a_failure(
    parcels: Parcels, courier: Courier, sender: str | None, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "isolate_by", ("sender",))
    courier.errors = {"a" if sender else "nobody's": AWAY}
    send("a", partition_key="1", sender="alice")
    send("nobody's", partition_key="2", sender=None)
    send("alice's", partition_key="3", sender="alice")
    send("bob's", partition_key="4", sender="bob")
    send("ours", partition_key="5", sender=None)
    parcels.process_due()
    assert courier.delivered == (["nobody's", *done] if sender else done)
    parcels.process_due()
    assert len(courier.delivered) == 4


def test_a_shared_receiver_pauses_after_a_failure_and_costs_the_others_no_attempt(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voiceapp.core.jobs.shared_receiver.time.monotonic", lambda: timezone.now().timestamp())
    parcels.register("post", courier, receiver=SharedReceiver(is_configured=lambda: True))
    courier.errors = dict.fromkeys("abc", AWAY)
    for name in "abc":
        send(name, partition_key=name)
    for _ in range(9):
        assert parcels.process_due() == 0
    assert [parcel(name).attempts for name in "abc"] == [1, 0, 0]
    courier.errors = {}
    clock.shift(5)
    assert parcels.process_due() == 3


def test_a_receiver_that_is_not_configured_is_not_called(parcels: Parcels, courier: Courier) -> None:
    parcels.register("post", courier, receiver=SharedReceiver(is_configured=lambda: False))
    send("a")
    assert parcels.process_due() == 0
    assert (parcels.unconfigured_topics(), parcel("a").attempts) == ({"post"}, 0)


def test_a_run_ends_in_time_and_wakes_up_the_next(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller, woken: list[str]
) -> None:
    send("a", "b", "c")
    courier.meanwhile = lambda parcel: clock.shift(parcels.max_run / 2)
    assert parcels.process_due() == 2
    assert woken == ["post"]
    assert parcels.process_due() == 1


def test_a_retry_gives_all_attempts_again_and_leaves_a_leased_job_alone(
    parcels: Parcels, courier: Courier, woken: list[str]
) -> None:
    send("failed", state="failed", attempts=3)
    send("done", state="done")
    send("leased", attempts=1, lease_expires_at=timezone.now() + parcels.lease)
    assert parcels.retry(Parcel._default_manager.all()) == 1
    assert woken == ["post"]
    assert (parcel("failed").state, parcel("failed").attempts, parcel("leased").attempts) == ("waiting", 0, 1)


def test_what_waits_and_what_failed_is_counted(parcels: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    send("a", "b")
    send("failed", state="failed")
    send("done", state="done")
    registry = CollectorRegistry()
    registry.register(JobsCollector([parcels]))
    text = generate_latest(registry).decode()
    assert "voiceapp_parcels_waiting 2.0" in text
    assert "voiceapp_parcels_failed 1.0" in text
    assert "voiceapp_parcels_oldest_seconds 0." in text

    def away() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(parcels, "count", away)
    assert generate_latest(registry) == b""


def test_a_topic_with_a_task_of_its_own_is_left_alone_by_the_task_for_all(
    parcels: Parcels, courier: Courier, woken: list[str]
) -> None:
    own: list[str] = []
    parcels.register("freight", courier, own_task=own.append)
    send("a")
    send("b", topic="freight")
    parcels.wake_up_on_commit(["post", "freight"])
    assert (woken, own, parcels.topics_with_own_tasks()) == (["post"], ["freight"], {"freight"})
    assert (parcels.process_due(), courier.delivered) == (1, ["a"])
    assert (parcels.process_due(["freight"]), courier.delivered) == (1, ["a", "b"])


def test_a_lease_is_extended_until_another_worker_has_the_job(
    parcels: Parcels, courier: Courier, clock: time_machine.Traveller
) -> None:
    send("a")

    def carry(job: Parcel) -> None:
        for _ in range(5):
            clock.shift(parcels.lease * 0.9)
            assert parcels.extend_lease(job)
            assert parcels._lease_next(["post"]) is None
        clock.shift(parcels.lease * 1.1)
        assert parcels._lease_next(["post"])
        assert not parcels.extend_lease(job)

    courier.meanwhile = carry
    parcels.process_due()
    assert parcel("a").attempts == 2


def test_a_job_that_takes_longer_than_its_lease_stays_with_its_worker(
    parcels: Parcels, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that extends it waits for a real clock."""
    send("a")
    began_at = timezone.now()

    def carry(job: Parcel) -> None:
        with extended_lease(parcels, job):
            soon(lambda: (parcel("a").lease_expires_at or began_at) > began_at + parcels.lease)

    monkeypatch.setattr(parcels, "lease", dt.timedelta(seconds=0.3))
    courier.meanwhile = carry
    assert parcels.process_due() == 1
    assert (parcel("a").state, parcel("a").attempts) == ("done", 1)


@pytest.mark.parametrize(("since_s", "wait_s"), [(0, 2), (60, 30), (7200, 600)])
def test_patience_grows_with_the_age_of_a_fault(clock: time_machine.Traveller, since_s: int, wait_s: int) -> None:
    since = timezone.now() - dt.timedelta(seconds=since_s)
    assert with_patience(AWAY, since=since).retry_after_s == wait_s
    assert str(with_patience(AWAY, since=since)) == "post: away"
    busy = ProviderError("post", "busy", retry_after_s=900)
    assert with_patience(busy, since=since).retry_after_s == 900
    final = ProviderError("post", "gone", permanent=True)
    assert with_patience(final, since=since) is final
