"""Messages are sent in order per partition and retried by themselves; after ten attempts they are failed."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import pytest
from django.utils import timezone

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions import tasks
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from voiceapp.providers.errors import ProviderError

pytestmark = pytest.mark.django_db

State = OutboxMessage.State
TOPIC = "test.topic"


class Receiver:
    """Takes messages; raises what it is given for a key first."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.errors: dict[str, Iterator[Exception]] = {}

    def __call__(self, message: OutboxMessage) -> None:
        error = next(self.errors.get(message.partition_key, iter(())), None)
        if error is not None:
            raise error
        self.got.append(message.body["n"])


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setattr(outbox, "_handlers", {})
    receiver = Receiver()
    outbox.register(TOPIC, receiver)
    return receiver


@pytest.fixture
def organization() -> Organization:
    return make_organization()


def enqueue(organization: Organization | None, n: int, key: str = "a", topic: str = TOPIC) -> OutboxMessage:
    return outbox.enqueue(topic, partition_key=key, body={"n": n}, organization=organization)


def due_now() -> None:
    OutboxMessage.objects.update(due_at=timezone.now())


def failing(times: int | None = None, *, permanent: bool = False) -> Iterator[Exception]:
    error = ProviderError("receiver", "returned 500", permanent=permanent)
    return itertools.repeat(error) if times is None else itertools.repeat(error, times)


def test_messages_are_sent_once_in_order(receiver: Receiver, organization: Organization) -> None:
    for n in range(5):
        enqueue(organization, n, key="ab"[n % 2])
    assert tasks.sweep_outbox() == 5
    assert receiver.got == [0, 1, 2, 3, 4]
    assert tasks.sweep_outbox() == 0
    message = OutboxMessage.objects.first()
    assert message is not None
    assert (message.state, message.attempts, message.lease_expires_at) == (State.DONE, 1, None)
    assert message.done_at is not None


def test_a_topic_without_a_handler_waits(receiver: Receiver, organization: Organization) -> None:
    message = enqueue(organization, 1, topic="other.topic")
    assert tasks.sweep_outbox() == tasks.deliver_outbox("other.topic") == 0
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 0)


def test_a_wake_up_delivers_its_topic_only(receiver: Receiver, organization: Organization) -> None:
    outbox.register("second", receiver)
    enqueue(organization, 1)
    enqueue(organization, 2, topic="second")
    assert tasks.deliver_outbox("second") == 1
    assert receiver.got == [2]


def test_a_failed_message_is_retried_later_and_the_rest_of_its_partition_waits(
    receiver: Receiver, organization: Organization
) -> None:
    receiver.errors["a"] = failing(1)
    first = enqueue(organization, 1)
    enqueue(organization, 2)
    before = timezone.now()
    assert tasks.sweep_outbox() == 0
    first.refresh_from_db()
    assert (first.state, first.attempts, first.last_error) == (State.WAITING, 1, "receiver: returned 500")
    assert dt.timedelta(seconds=2.5) <= first.due_at - before <= dt.timedelta(seconds=6)
    assert tasks.sweep_outbox() == 0
    due_now()
    assert tasks.sweep_outbox() == 2
    assert receiver.got == [1, 2]


def test_one_organizations_failing_receiver_delays_no_other(receiver: Receiver, organization: Organization) -> None:
    receiver.errors["a"] = failing()
    other = make_organization("Charlie's Diner")
    enqueue(organization, 1, key="a")
    enqueue(organization, 2, key="b")
    enqueue(other, 3, key="c")
    enqueue(None, 4, key="d")
    assert tasks.sweep_outbox() == 2
    assert receiver.got == [3, 4]
    assert tasks.sweep_outbox() == 1


def test_failures_of_our_own_messages_delay_only_ours(receiver: Receiver, organization: Organization) -> None:
    receiver.errors["a"] = failing()
    enqueue(None, 1, key="a")
    enqueue(None, 2, key="b")
    enqueue(organization, 3, key="c")
    assert tasks.sweep_outbox() == 1
    assert receiver.got == [3]


def test_the_pauses_grow_and_end_at_an_hour(receiver: Receiver, organization: Organization) -> None:
    receiver.errors["a"] = failing()
    message = enqueue(organization, 1)
    pauses = []
    for _ in range(9):
        now = timezone.now()
        tasks.sweep_outbox()
        message.refresh_from_db()
        pauses.append((message.due_at - now).total_seconds())
        due_now()
    for pause, longest in zip(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1280], strict=True):
        assert longest / 2 <= pause <= longest + 1


def test_after_ten_attempts_it_is_failed_and_the_next_of_its_partition_follows(
    receiver: Receiver, organization: Organization
) -> None:
    receiver.errors["a"] = failing(10)
    first = enqueue(organization, 1)
    enqueue(organization, 2)
    for _ in range(10):
        assert receiver.got == []
        tasks.sweep_outbox()
        due_now()
    first.refresh_from_db()
    assert (first.state, first.attempts) == (State.FAILED, 10)
    tasks.sweep_outbox()
    assert receiver.got == [2]


def test_a_permanent_error_fails_the_message_at_once(receiver: Receiver, organization: Organization) -> None:
    receiver.errors["a"] = failing(1, permanent=True)
    message = enqueue(organization, 1)
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.FAILED, 1)


def test_a_handler_that_crashes_is_retried_later(receiver: Receiver, organization: Organization) -> None:
    receiver.errors["a"] = iter([ZeroDivisionError()])
    message = enqueue(organization, 1)
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert (message.state, message.last_error) == (State.WAITING, "ZeroDivisionError")


def test_a_failed_message_can_be_retried(
    receiver: Receiver, organization: Organization, woken: list[str], django_capture_on_commit_callbacks: object
) -> None:
    receiver.errors["a"] = failing(1, permanent=True)
    enqueue(organization, 1)
    tasks.sweep_outbox()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert outbox.retry(OutboxMessage.objects.all()) == 1
    assert woken == [TOPIC]
    assert tasks.sweep_outbox() == 1
    assert outbox.retry(OutboxMessage.objects.all()) == 0


def test_a_leased_message_is_left_alone_until_the_lease_expires(receiver: Receiver, organization: Organization) -> None:
    message = enqueue(organization, 1)
    claimed = OutboxMessage.objects.filter(pk=message.pk)
    claimed.update(lease_expires_at=timezone.now() + dt.timedelta(seconds=30), attempts=1)
    assert tasks.sweep_outbox() == 0
    claimed.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert tasks.sweep_outbox() == 1
    message.refresh_from_db()
    assert message.attempts == 2


def test_one_that_kills_its_worker_ten_times_is_failed_without_another_attempt(
    receiver: Receiver, organization: Organization
) -> None:
    message = enqueue(organization, 1)
    OutboxMessage.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1), attempts=10)
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert (message.state, message.last_error) == (
        State.FAILED,
        "gave up after 10 attempts; the last one never returned",
    )
    assert receiver.got == []


def test_a_message_that_another_worker_leased_first_is_skipped(
    receiver: Receiver, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(organization, 1)
    real, looks = outbox._due, itertools.count()

    def overtaken(now: dt.datetime) -> object:
        # Between the query and the lease, another worker leases it.
        if next(looks) == 1:
            OutboxMessage.objects.update(lease_expires_at=now + outbox.lease)
        return real(now)

    monkeypatch.setattr(outbox, "_due", overtaken)
    assert tasks.sweep_outbox() == 0
    assert receiver.got == []


def test_a_run_ends_in_time_and_leaves_the_rest(
    receiver: Receiver, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "max_run", dt.timedelta(0))
    enqueue(organization, 1)
    assert tasks.sweep_outbox() == 0


def test_a_message_whose_lease_was_lost_is_not_marked_done(
    receiver: Receiver, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = enqueue(organization, 1)

    def slow(_: OutboxMessage) -> None:
        # Its lease expired and another worker leased it meanwhile.
        OutboxMessage.objects.update(lease_expires_at=timezone.now() + outbox.lease, attempts=2)

    outbox.register(TOPIC, slow)
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 2)


def limited(times: int | None = None, *, retry_after_s: float = 120) -> Iterator[Exception]:
    error = ProviderError("receiver", "returned 429", retry_after_s=retry_after_s)
    return itertools.repeat(error) if times is None else itertools.repeat(error, times)


@pytest.mark.parametrize("retry_after_s", [40, 600, 7_200])
def test_a_wait_that_the_receiver_names_is_respected(
    receiver: Receiver, organization: Organization, retry_after_s: float
) -> None:
    receiver.errors["a"] = limited(retry_after_s=retry_after_s)
    message = enqueue(organization, 1)
    before = timezone.now()
    tasks.sweep_outbox()
    message.refresh_from_db()
    wait_s = (message.due_at - before).total_seconds()
    assert retry_after_s <= wait_s < retry_after_s + 5


def test_a_message_whose_receiver_names_waits_fails_by_time_and_not_by_attempts(
    receiver: Receiver, organization: Organization
) -> None:
    receiver.errors["a"] = limited(retry_after_s=1)
    message = enqueue(organization, 1)
    for _ in range(3 * outbox.max_attempts):
        due_now()
        tasks.sweep_outbox()
    message.refresh_from_db()
    assert message.state == State.WAITING
    OutboxMessage.objects.update(created_at=timezone.now() - outbox.free_waits_for)
    for _ in range(outbox.max_attempts):
        due_now()
        tasks.sweep_outbox()
    message.refresh_from_db()
    assert message.state == State.FAILED


def test_failures_without_a_named_wait_are_counted_beside_those_with_one(
    receiver: Receiver, organization: Organization
) -> None:
    receiver.errors["a"] = itertools.chain(limited(20), failing(1), limited(20), failing(8))
    message = enqueue(organization, 1)
    for _ in range(49):
        due_now()
        tasks.sweep_outbox()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 9)
    due_now()
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert message.state == State.DONE
