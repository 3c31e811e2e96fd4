"""`kill -9` of a real worker on the broker that needs no server: every announcement arrives, with the same id."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as product

from sessions.messages.models import OutboxMessage
from voiceapp.providers.aws.client import aws_client
from voiceapp.tests.gate import Gate, Mode, gate_before
from voiceapp.tests.worker import folder_broker, until, worker_process

from .conftest import SendRequest, on_queue

pytestmark = pytest.mark.waits

State = OutboxMessage.State
WITHIN_S = 40.0
KILLS = 4


@pytest.fixture
def gate(aws: str) -> Iterator[Gate]:
    with gate_before(aws) as gate:
        yield gate


def worker(gate: Gate, queue_url: str, folder: Path) -> contextlib.AbstractContextManager[object]:
    environment = {
        "CELERY_BROKER_URL": folder_broker(folder), "VOICE_SESSION_QUEUE_URL": queue_url, "AWS_ENDPOINT_URL": gate.url,
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
    }  # fmt: skip
    return worker_process(folder, environment)


def lease_ends() -> None:
    """What a dead worker had claimed is free again after half a minute; that is not waited for here."""
    OutboxMessage.objects.filter(state=State.WAITING).update(lease_expires_at=None)


def all_done() -> bool:
    return not OutboxMessage.objects.exclude(state=State.DONE).exists()


def taken_off(url: str) -> list[str]:
    """The ids on the queue, once for each time that they were sent; then it is empty."""
    received: list[str] = []
    while messages := on_queue(url):
        for message in messages:
            received.append(message["MessageAttributes"]["messageId"]["StringValue"])
            aws_client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return received


@pytest.mark.parametrize(
    ("mode", "times"),
    [(Mode.KEEPS_REQUESTS, 1), (Mode.KEEPS_ANSWERS, 2)],
    ids=["before SQS has it", "before it is noted"],
)
def test_a_worker_killed_while_it_sends_loses_nothing(
    mode: Mode, times: int, send_request: SendRequest, queue_url: str, gate: Gate, tmp_path: Path
) -> None:
    gate.mode = mode
    assert send_request().status_code == 200
    message = OutboxMessage.objects.get()
    with worker(gate, queue_url, tmp_path):
        assert gate.is_held.wait(WITHIN_S)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 1)
    assert len(on_queue(queue_url)) == times - 1
    gate.mode = Mode.OPEN
    lease_ends()
    with worker(gate, queue_url, tmp_path):
        until(all_done)
    assert taken_off(queue_url) == [str(message.message_id)] * times


def test_workers_killed_at_any_time_lose_nothing(
    send_request: SendRequest, queue_url: str, gate: Gate, tmp_path: Path
) -> None:
    gate.pauses_s = 0.05
    for round_ in range(KILLS):
        with worker(gate, queue_url, tmp_path):
            arrived = gate.arrived
            for _ in range(4):
                assert send_request().status_code == 200
            until(lambda arrived=arrived: gate.arrived > arrived)  # type: ignore[misc]
            time.sleep(0.03 * round_)
        lease_ends()
    with worker(gate, queue_url, tmp_path):
        until(all_done)
    announced = {str(each) for each in OutboxMessage.objects.values_list("message_id", flat=True)}
    received = taken_off(queue_url)
    assert len(announced) == 4 * KILLS
    assert set(received) == announced
    assert len(received) <= len(announced) + KILLS


def test_what_was_sent_again_is_one_record_for_the_consumer(
    send_request: SendRequest, queue_url: str, gate: Gate, tmp_path: Path
) -> None:
    gate.mode = Mode.KEEPS_ANSWERS
    session_id = send_request().json()["session_id"]
    with worker(gate, queue_url, tmp_path):
        assert gate.is_held.wait(WITHIN_S)
    gate.mode = Mode.OPEN
    lease_ends()
    with worker(gate, queue_url, tmp_path):
        until(all_done)
    printed = subprocess.run(
        [sys.executable, "manage.py", "consume_sessions", "--once"],
        cwd=product.BASE_DIR, capture_output=True, text=True, check=True,
        env=os.environ | {
            "VOICE_SESSION_QUEUE_URL": queue_url, "VOICE_SESSION_TABLE": "", "AWS_ENDPOINT_URL": gate.behind,
            "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        },
    ).stdout  # fmt: skip
    assert [json.loads(line)["sessionId"] for line in printed.splitlines()] == [session_id]
