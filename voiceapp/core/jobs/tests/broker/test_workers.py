"""A real worker on every broker: it is woken, it may be killed, and a task that kills its process is dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from sessions.messages.models import OutboxMessage
from voiceapp.tests.servers import Server
from voiceapp.tests.worker import until, worker_process

from .conftest import Environment, Submit
from .kitchen import Kitchen

pytestmark = pytest.mark.waits

State = OutboxMessage.State
Send = Callable[..., None]


def is_done(message: OutboxMessage) -> bool:
    message.refresh_from_db()
    return message.state == State.DONE


def lease_ends() -> None:
    """What a killed worker had leased is due again after half a minute; that is not waited for here."""
    OutboxMessage.objects.filter(state=State.WAITING).update(lease_expires_at=None, due_at=timezone.now())


def test_a_wake_up_reaches_the_worker(
    broker: Environment, submit: Submit, send: Send, kitchen: Kitchen, tmp_path: Path
) -> None:
    message = submit()
    with worker_process(tmp_path, broker, has_beat=False):
        send("sessions.tasks.deliver_outbox", "webhook")
        until(lambda: is_done(message))
    assert kitchen.arrived == [str(message.message_id)]


def test_an_order_outlives_the_worker_that_was_telling_it(
    broker: Environment, submit: Submit, send: Send, kitchen: Kitchen, tmp_path: Path
) -> None:
    message = submit()
    kitchen.answers.clear()
    with worker_process(tmp_path, broker, has_beat=False):
        send("sessions.tasks.deliver_outbox", "webhook")
        until(lambda: kitchen.arrived)
    assert not is_done(message)
    assert message.lease_expires_at is not None
    assert message.lease_expires_at - timezone.now() < dt.timedelta(seconds=31)
    kitchen.answers.set()
    lease_ends()
    with worker_process(tmp_path, broker):
        until(lambda: is_done(message))
    assert kitchen.arrived == [str(message.message_id)] * 2


@pytest.mark.django_db(transaction=True)
def test_a_task_that_kills_its_process_is_tried_four_times_and_others_go_on(
    broker: Environment, send: Send, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    lines.touch()
    with worker_process(tmp_path, broker, has_beat=False, app="voiceapp.core.jobs.tests.broker.deadly"):
        send("voiceapp.tests.die", str(lines))
        until(lambda: b"Task handler raised error" in (tmp_path / "worker.log").read_bytes())
        send("voiceapp.tests.live", str(lines))
        until(lambda: "lived" in lines.read_text())
    assert lines.read_text() == "started\n" * 4 + "lived\n"


@pytest.mark.servers
@pytest.mark.parametrize("broker", ["redis", "rabbitmq"], indirect=True)
def test_an_order_outlives_the_broker_and_the_same_worker_goes_on(
    broker: Environment, submit: Submit, kitchen: Kitchen, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    name = "redis" if broker["CELERY_BROKER_URL"].startswith("redis") else "rabbitmq"
    server: Server = request.getfixturevalue(f"{name}_server")
    with worker_process(tmp_path, broker) as process:
        before = submit()
        until(lambda: is_done(before))
        server.kill()
        during = submit()
        server.start()
        until(lambda: is_done(during), within_s=90)
        assert process.poll() is None
    assert kitchen.arrived == [str(before.message_id), str(during.message_id)]
