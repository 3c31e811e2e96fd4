"""`manage.py consume_sessions`: each record once, whatever comes twice, and nothing deleted that was not kept."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as product
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sessions.realtime.session_records import AsLines, SessionRecord
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.aws.sqs import LONGEST_POLL_S, AwsQueue
from voiceapp.tests.gate import Mode, closed_address, gate_before
from voiceapp.tests.worker import until

from .conftest import on_queue

pytestmark = [pytest.mark.embedded, pytest.mark.waits]


def record(session_id: str = "sess_1", **other: object) -> dict[str, object]:
    return {
        "sessionId": session_id,
        "userId": "user_2abc",
        "createdAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2026-01-31T00:00:00Z",
        "ttl": 1769817600,
    } | other


def send(url: str, body: object, *, message_id: str = "") -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    AwsQueue(url).send(text, message_id=message_id or str(uuid4()), group="one")


def consume(*options: str) -> list[dict[str, Any]]:
    """What it printed."""
    out = StringIO()
    call_command("consume_sessions", "--once", *options, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def table(queue_url: str, settings: Settings) -> str:
    settings.VOICE_SESSION_TABLE = name = f"sessions-{uuid4().hex}"
    return name


def kept(table: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws_client("dynamodb").scan(TableName=table)["Items"]
    return items


def until_kept(table: str, count: int) -> list[dict[str, Any]]:
    until(lambda: len(kept(table)) >= count)
    items = kept(table)
    assert len(items) == count
    return items


def test_without_a_table_the_records_are_printed_and_taken_off_the_queue(queue_url: str) -> None:
    for n in range(12):
        send(queue_url, record(f"sess_{n}"))
    printed = consume()
    assert sorted(each["sessionId"] for each in printed) == sorted(f"sess_{n}" for n in range(12))
    assert record("sess_3") in printed
    assert consume() == []
    assert on_queue(queue_url) == []


def test_a_record_that_comes_twice_is_kept_once(table: str, queue_url: str) -> None:
    for _ in range(2):
        send(queue_url, record(), message_id="6f1a2b34-0000-4000-8000-000000000001")
    assert consume("--make-table") == []
    send(queue_url, record(userId="user_other"))
    consume()
    assert kept(table) == [
        {
            "sessionId": {"S": "sess_1"},
            "userId": {"S": "user_2abc"},
            "createdAt": {"S": "2026-01-01T00:00:00Z"},
            "expiresAt": {"S": "2026-01-31T00:00:00Z"},
            "ttl": {"N": "1769817600"},
        }
    ]
    assert on_queue(queue_url) == []


def test_the_table_is_made_once_and_expires_its_items(table: str, queue_url: str) -> None:
    consume("--make-table")
    consume("--make-table")
    time_to_live = aws_client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert time_to_live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert aws_client("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"] == [
        {"AttributeName": "sessionId", "KeyType": "HASH"}
    ]


def test_a_table_that_is_missing_is_said_and_nothing_is_taken(table: str, queue_url: str) -> None:
    send(queue_url, record())
    with pytest.raises(CommandError, match="ResourceNotFound"):
        consume()
    assert len(on_queue(queue_url)) == 1


POISON: list[object] = [
    "no json",
    "[]",
    json.dumps([record()]),
    record(ttl="1769817600"),
    record(ttl=1.5),
    record(ttl=True),
    record(sessionId=""),
    record(createdAt="yesterday"),
    {"sessionId": "sess_1"},
    "[" * 5000,
]


@pytest.mark.parametrize("poison", POISON, ids=lambda value: str(value)[:40])
def test_what_cannot_be_read_stays_for_the_queues_redrive_and_the_rest_is_kept(
    poison: object, queue_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    send(queue_url, poison)
    send(queue_url, record())
    out = StringIO()
    with pytest.raises(CommandError, match="could not be read and stayed on the queue"):
        call_command("consume_sessions", "--once", stdout=out)
    assert json.loads(out.getvalue()) == record()
    assert len(on_queue(queue_url)) == 1
    assert "announcement_unreadable" in caplog.text


def test_a_newer_producers_field_is_no_poison(queue_url: str) -> None:
    send(queue_url, record(model="gpt-realtime"))
    assert consume() == [record()]


def test_without_a_queue_it_says_what_to_set(settings: Settings) -> None:
    settings.VOICE_SESSION_QUEUE_URL = ""
    with pytest.raises(CommandError, match="Set VOICE_SESSION_QUEUE_URL"):
        consume()


def test_a_queue_that_is_away_is_a_failure_once(queue_url: str, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = closed_address()
    with pytest.raises(CommandError, match="no response"):
        consume()


def test_lines_remember_no_more_than_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.realtime.session_records.REMEMBERED", 2)
    lines: list[str] = []
    keeper = AsLines(lines.append)
    records = [SessionRecord(f"sess_{n}", "u", "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", 1) for n in range(3)]
    assert [keeper.keep(each) for each in [*records, records[2], records[0]]] == [True, True, True, False, True]


def test_a_record_with_the_id_of_another_one_is_written_too() -> None:
    lines: list[str] = []
    keeper = AsLines(lines.append)
    records = [SessionRecord("sess_1", user, "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z", 1) for user in "ab"]
    assert [keeper.keep(each) for each in [*records, *records]] == [True, True, False, False]


@pytest.fixture
def process(aws: str, queue_url: str, table: str, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """`manage.py consume_sessions` as it runs beside the product."""
    with following(aws, queue_url, table) as running:
        yield running


@contextlib.contextmanager
def following(endpoint: str, queue_url: str, table: str) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "manage.py", "consume_sessions", "--make-table"],
        cwd=product.BASE_DIR, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=os.environ | {
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1", "VOICE_SESSION_QUEUE_URL": queue_url, "VOICE_SESSION_TABLE": table,
        },
    )  # fmt: skip
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def until_table(table: str) -> None:
    client = aws_client("dynamodb")
    until(lambda: table in client.list_tables()["TableNames"])


def test_it_consumes_the_queue_until_it_is_stopped(process: subprocess.Popen[str], table: str, queue_url: str) -> None:
    until_table(table)
    for n in range(3):
        send(queue_url, record(f"sess_{n}"))
    until_kept(table, 3)
    # It is in the middle of a long poll now.
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONGEST_POLL_S / 2) == 0


def test_a_batch_is_finished_after_sigterm(aws: str, table: str, queue_url: str) -> None:
    with gate_before(aws) as gate, following(gate.url, queue_url, table) as process:
        until_table(table)
        gate.pauses_s = 0.3
        for n in range(4):
            send(queue_url, record(f"sess_{n}"))
        until_kept(table, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    left = {json.loads(message["Body"])["sessionId"] for message in on_queue(queue_url)}
    in_table = {item["sessionId"]["S"] for item in kept(table)}
    assert left | in_table == {f"sess_{n}" for n in range(4)}
    assert not left & in_table


def test_a_consumer_killed_between_keeping_and_deleting_keeps_once(aws: str, table: str, queue_url: str) -> None:
    with gate_before(aws) as gate, following(gate.url, queue_url, table) as process:
        until_table(table)
        until(lambda: "ReceiveMessage" in gate.operations)
        gate.holds = "DeleteMessage"
        gate.mode = Mode.KEEPS_REQUESTS
        send(queue_url, record())
        assert gate.is_held.wait(15)
        process.kill()
        process.wait()
    assert len(kept(table)) == 1
    assert len(on_queue(queue_url)) == 1
    consume()
    assert len(kept(table)) == 1
    assert on_queue(queue_url) == []
