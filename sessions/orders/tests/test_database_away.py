"""A database that refuses: tried again within bounds, then said to be not saved; never confirmed before the commit."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions.calls.models import Call, ToolCall
from sessions.messages.models import OutboxMessage
from sessions.orders.models import DraftOrder, Order
from sessions.orders.services import drafts
from sessions.tests.builders import Phone, make_restaurant
from sessions.tools.services import NOT_SAVED
from voiceapp.core.transactions import ConcurrentUpdate, NotSaved, retried


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have paused between tries."""
    slept: list[float] = []
    monkeypatch.setattr("voiceapp.core.transactions.sleep", slept.append)
    return slept


class Flaky:
    """Raises what it is given, one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [OperationalError("deadlock detected"), InterfaceError("closed"), IntegrityError("unique"), ConcurrentUpdate()],
)
def test_what_may_pass_is_tried_three_times(error: Exception, pauses: list[float]) -> None:
    work = Flaky(error, error)
    assert retried(work, what="x") == "done"
    assert work.tries == 3
    assert 0.01 <= pauses[0] <= 0.05
    assert 0.04 <= pauses[1] <= 0.2
    with pytest.raises(NotSaved):
        retried(Flaky(error, error, error), what="x")


@pytest.mark.django_db
def test_what_cannot_pass_is_tried_once() -> None:
    work = Flaky(DataError("out of range"))
    with pytest.raises(NotSaved):
        retried(work, what="x")
    assert work.tries == 1


@pytest.mark.django_db
def test_no_try_begins_when_the_caller_has_waited_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.5])
    monkeypatch.setattr("voiceapp.core.transactions.monotonic", lambda: next(clock))
    work = Flaky(OperationalError("locked"))
    with pytest.raises(NotSaved):
        retried(work, what="x")
    assert work.tries == 1


@pytest.mark.django_db
def test_a_submission_that_fails_is_said_to_be_not_saved_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Margherita")
    phone.use("read_back_order")
    phone.speaks()
    broken = Flaky(*[OperationalError("database is locked")] * 3)
    monkeypatch.setattr("sessions.messages.endpoints.services.announcing.outbox.enqueue", lambda *_, **__: broken())
    assert phone.use("submit_order", tool_call_id="call_s") == {"ok": False, "say": NOT_SAVED}
    assert broken.tries == 3
    assert not Order.objects.exists()
    assert not ToolCall.objects.filter(name="submit_order").exists()
    monkeypatch.undo()
    assert phone.use("submit_order", tool_call_id="call_s")["ok"]


@pytest.mark.django_db
def test_one_failure_is_not_noticed_by_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    deadlock = Flaky(OperationalError("deadlock detected"))
    real = drafts.lock_draft

    def once_broken(of: Call) -> DraftOrder:
        deadlock()
        return real(of)

    monkeypatch.setattr(drafts, "lock_draft", once_broken)
    assert phone.add("Tiramisu")["ok"]
    assert deadlock.tries == 2


@pytest.mark.django_db
def test_a_draft_that_another_writer_moved_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    real, moves = drafts.lock_draft, iter([True, False])

    def overtaken(of: Call) -> DraftOrder:
        draft = real(of)
        if next(moves):
            draft.version -= 1
        return draft

    monkeypatch.setattr(drafts, "lock_draft", overtaken)
    assert phone.add("Tiramisu")["order"]["version"] == 2


@pytest.mark.django_db
def test_the_worker_is_woken_after_the_commit_only(
    woken: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    _, call = make_restaurant()
    phone = Phone(call.pk)
    phone.add("Tiramisu")
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        phone.agrees()
        assert woken == []
    assert OutboxMessage.objects.count() == 1
    for callback in callbacks:
        callback()
    assert woken == ["webhook"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_thrown_away_before_the_next_try() -> None:
    connection.ensure_connection()
    broken = connection.connection

    def work() -> object:
        if connection.connection is broken:
            # What Django sets when the database reported an error.
            connection.errors_occurred = True
            connection.is_usable = lambda: False  # type: ignore[method-assign]
            raise OperationalError("server closed the connection unexpectedly")
        connection.ensure_connection()
        return connection.connection

    try:
        assert retried(work, what="x") is not broken
    finally:
        del connection.is_usable
