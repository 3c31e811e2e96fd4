"""Every task ends, and nothing on the queue lasts for ever."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from kombu import Connection

from voiceapp.celery import app

app.loader.import_default_modules()
TASKS = sorted(name for name in app.tasks if not name.startswith("celery."))
MESSAGES = 300


def test_all_tasks_are_known() -> None:
    assert {"sessions.tasks.sweep_outbox", "telephony.tasks.process_events"} <= set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_expires_is_acknowledged_late_and_is_tried_a_few_times_only(name: str) -> None:
    task: Any = app.tasks[name]  # the stubs are older than Celery
    assert 0 < task.expires <= 3600
    assert (task.acks_late, task.reject_on_worker_lost, task.retry_on_worker_lost) == (True, True, True)
    assert task.max_retries == 3


def test_a_task_ends_before_its_message_comes_again() -> None:
    assert current_app.conf.task_soft_time_limit < current_app.conf.task_time_limit
    assert current_app.conf.task_time_limit * 2 < settings.QUEUE_VISIBILITY_TIMEOUT_S
    assert current_app.conf.worker_prefetch_multiplier == 1
    assert current_app.conf.broker_connection_max_retries is None


def test_all_that_is_periodic_is_a_task_that_expires_before_it_is_due_again_or_soon_after() -> None:
    assert app.conf.beat_schedule
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in TASKS
        task: Any = app.tasks[entry["task"]]
        assert task.expires <= max(60, entry["schedule"])


def broker(folder: Path) -> Connection:
    names = ("data_folder_in", "data_folder_out")
    options = dict.fromkeys(names, str(folder)) | {"control_folder": str(folder / "control")}
    return Connection("filesystem://", transport_options=options)


def write(folder: Path, first: int) -> None:
    with broker(folder) as connection:
        queue = connection.SimpleQueue("q")
        for number in range(first, first + MESSAGES):
            queue.put(number)


def writing(folder: Path, first: int) -> SpawnProcess:
    """A process of its own: kombu remembers bindings for the whole of one, whatever the folder."""
    process = multiprocessing.get_context("spawn").Process(target=write, args=(folder, first))
    process.start()
    return process


@pytest.mark.embedded
def test_a_folder_as_the_broker_shows_each_message_once_and_whole(tmp_path: Path) -> None:
    writers = [writing(tmp_path, 0), writing(tmp_path, MESSAGES)]
    taken: list[object] = []
    with broker(tmp_path) as one, broker(tmp_path) as other:
        queues = [connection.SimpleQueue("q") for connection in (one, other)]
        while len(taken) < 2 * MESSAGES:
            for queue in queues:
                message = queue.get(timeout=90)  # until processes have started, beside those that speak
                taken.append(message.payload)
                message.ack()
    for writer in writers:
        writer.join(10)
    assert sorted(taken, key=str) == sorted(range(2 * MESSAGES), key=str)
    assert not list(tmp_path.glob("*.msg"))
    assert not list(tmp_path.glob(".*.msg"))


@pytest.mark.embedded
def test_what_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1_a.q.msg").write_text('{"body": ')
    writing(tmp_path, 7).join(30)
    with broker(tmp_path) as connection:
        assert connection.SimpleQueue("q").get(timeout=5).payload == 7
