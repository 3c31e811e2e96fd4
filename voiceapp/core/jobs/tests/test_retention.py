"""Jobs that are done stay for some months; what waits, and what failed, stays until somebody has looked."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.tasks import purge_outbox
from telephony.events.models import ProviderEvent
from telephony.tasks import purge_inbox
from voiceapp.core import batches
from voiceapp.core.jobs.retention import KEPT_FOR

pytestmark = pytest.mark.django_db

State = OutboxMessage.State
OLD = KEPT_FOR + dt.timedelta(minutes=1)


def message(state: str, *, age: dt.timedelta, done: dt.timedelta | None = None) -> int:
    made = outbox.enqueue("order.submitted", partition_key="x", body={}, organization=None)
    now = timezone.now()
    done_at = now - done if done is not None else None
    OutboxMessage.objects.filter(pk=made.pk).update(state=state, created_at=now - age, done_at=done_at)
    return made.pk


def test_messages_that_were_delivered_long_ago_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    for _ in range(3):
        message(State.DONE, age=OLD, done=OLD)
    message(State.UNCONFIGURED, age=OLD)
    kept = {
        message(State.DONE, age=KEPT_FOR - dt.timedelta(minutes=1)),
        message(State.DONE, age=OLD, done=dt.timedelta(days=1)),
        message(State.WAITING, age=OLD),
        message(State.FAILED, age=OLD),
    }
    assert purge_outbox() == 4
    assert purge_outbox() == 0
    assert set(OutboxMessage.objects.values_list("pk", flat=True)) == kept


def test_a_run_ends_before_its_task_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    monkeypatch.setattr(batches, "LONGEST_RUN_S", -1.0)
    for _ in range(5):
        message(State.DONE, age=OLD, done=OLD)
    assert [purge_outbox() for _ in range(4)] == [2, 2, 1, 0]


def test_events_that_were_processed_long_ago_are_deleted() -> None:
    for number, (state, age) in enumerate([(State.DONE, OLD), (State.DONE, dt.timedelta(1)), (State.FAILED, OLD)]):
        event = ProviderEvent.objects.create(source="twilio", dedup_key=str(number), kind="call.completed", state=state)
        ProviderEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() - age)
    assert purge_inbox() == 1
    assert set(ProviderEvent.objects.values_list("dedup_key", flat=True)) == {"1", "2"}
