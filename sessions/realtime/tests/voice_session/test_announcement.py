"""The announcement on the queue: exactly five fields, sent until SQS answered, never felt by the caller."""

from __future__ import annotations

import datetime as dt
import json
import time
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions import handlers, tasks
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.realtime.models import VoiceSession
from sessions.realtime.services import voice_sessions
from sessions.realtime.services.voice_sessions import TOPIC, announcement_of
from voiceapp.core.jobs.shared_receiver import SharedReceiver
from voiceapp.providers.aws.client import aws_client
from voiceapp.tests.gate import closed_address, deaf_server, gate_before

from .conftest import SendRequest, on_queue

State = OutboxMessage.State
# Shorter than the client waits for a queue that hangs.
FELT_S = 4.0


@pytest.fixture(autouse=True)
def rested() -> None:
    """The queue as a worker knows it that was just started."""
    handlers.register_all()


def parse_time(text: str) -> dt.datetime:
    """ISO 8601 with Z, in whole seconds."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)


def due_now() -> None:
    handlers.register_all()
    OutboxMessage.objects.filter(state=State.WAITING).update(due_at=timezone.now(), lease_expires_at=None)


def test_exactly_the_record_is_announced(send_request: SendRequest, queue_url: str) -> None:
    answer = send_request().json()
    assert tasks.sweep_outbox() == 1
    [message] = on_queue(queue_url)
    body = json.loads(message["Body"])
    record = VoiceSession.objects.get()
    assert body.keys() == {"sessionId", "userId", "createdAt", "expiresAt", "ttl"}
    assert body["sessionId"] == answer["session_id"]
    assert body["userId"] == record.owner
    created_at, expires_at = parse_time(body["createdAt"]), parse_time(body["expiresAt"])
    assert expires_at - created_at == dt.timedelta(days=30)
    assert type(body["ttl"]) is int
    assert body["ttl"] == expires_at.timestamp()
    assert expires_at == record.expires_at
    announced = OutboxMessage.objects.get()
    assert message["MessageAttributes"]["messageId"]["StringValue"] == str(announced.message_id)
    assert list(message["MessageAttributes"]) == ["messageId"]
    assert (announced.state, announced.attempts) == (State.DONE, 1)


@pytest.mark.parametrize("subject", ["user_2abcDEF", "17", "key_abcd1234"])
def test_the_user_is_named_as_its_credential_names_it(subject: str, db: None) -> None:
    record = voice_sessions._record(Principal(subject=subject), "sess_1", "gpt-realtime", is_text_only=False)
    assert announcement_of(record)["userId"] == subject


def test_a_fifo_queue_keeps_one_of_an_id(send_request: SendRequest, aws: str, settings: Settings) -> None:
    url = aws_client("sqs").create_queue(
        QueueName=f"sessions-{uuid4().hex}.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "0"}
    )["QueueUrl"]
    settings.VOICE_SESSION_QUEUE_URL = url
    send_request()
    assert tasks.sweep_outbox() == 1
    # SQS had it, and the worker died before it could note that.
    OutboxMessage.objects.update(state=State.WAITING)
    assert tasks.sweep_outbox() == 1
    announced = OutboxMessage.objects.get()
    [message] = on_queue(url)
    assert message["Attributes"]["MessageGroupId"] == announced.partition_key == VoiceSession.objects.get().session_id
    assert message["Attributes"]["MessageDeduplicationId"] == str(announced.message_id)


def test_without_a_queue_the_rows_wait_and_lose_no_try(
    send_request: SendRequest, queue_url: str, settings: Settings
) -> None:
    settings.VOICE_SESSION_QUEUE_URL = ""
    send_request()
    for _ in range(12):
        assert tasks.sweep_outbox() == tasks.deliver_outbox(TOPIC) == 0
    waiting = OutboxMessage.objects.get()
    assert (waiting.state, waiting.attempts, waiting.lease_expires_at) == (State.WAITING, 0, None)
    settings.VOICE_SESSION_QUEUE_URL = queue_url
    assert tasks.sweep_outbox() == 1
    assert len(on_queue(queue_url)) == 1


def test_a_queue_that_is_down_is_not_felt_and_gets_it_later(
    send_request: SendRequest, queue_url: str, settings: Settings
) -> None:
    reachable = settings.AWS_ENDPOINT_URL
    settings.AWS_ENDPOINT_URL = closed_address()
    began = time.monotonic()
    assert send_request().status_code == 200
    assert time.monotonic() - began < FELT_S
    assert tasks.sweep_outbox() == 0
    put_off = OutboxMessage.objects.get()
    assert (put_off.state, put_off.attempts) == (State.WAITING, 1)
    assert put_off.last_error == "sqs: no response (EndpointConnectionError)"
    assert put_off.due_at > timezone.now()
    settings.AWS_ENDPOINT_URL = reachable
    due_now()
    assert tasks.sweep_outbox() == 1
    assert len(on_queue(queue_url)) == 1


def test_a_queue_that_hangs_is_not_felt_and_lets_go_in_time(
    send_request: SendRequest, queue_url: str, settings: Settings
) -> None:
    send_request()
    with deaf_server() as deaf:
        settings.AWS_ENDPOINT_URL = deaf
        began = time.monotonic()
        assert send_request().status_code == 200
        assert time.monotonic() - began < FELT_S
        began = time.monotonic()
        assert tasks.sweep_outbox() == 0
        # One of the two is tried: it ends long before its lease of a minute.
        assert 4 < time.monotonic() - began < 25
    assert sorted(OutboxMessage.objects.values_list("state", "attempts")) == [("waiting", 0), ("waiting", 1)]


def test_a_dead_queue_is_tried_once_and_let_alone_for_a_while(
    send_request: SendRequest, queue_url: str, settings: Settings
) -> None:
    reachable = settings.AWS_ENDPOINT_URL
    for _ in range(5):
        send_request()
    with gate_before(closed_address()) as gate:
        settings.AWS_ENDPOINT_URL = gate.url
        for _ in range(20):
            assert tasks.sweep_outbox() == tasks.deliver_outbox(TOPIC) == 0
        assert gate.arrived == 1
    settings.AWS_ENDPOINT_URL = reachable
    handlers.register_all()
    # The one that failed waits for its turn, the others do not wait for it.
    assert tasks.sweep_outbox() == 4
    due_now()
    assert tasks.sweep_outbox() == 1


def test_the_rests_grow_to_a_minute_and_end_with_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("voiceapp.core.jobs.shared_receiver.time.monotonic", lambda: clock[0])
    receiver = SharedReceiver(is_configured=lambda: True)
    rests = []
    for _ in range(6):
        receiver.failed()
        began = clock[0]
        while not receiver.is_available:
            clock[0] += 1
        rests.append(clock[0] - began)
    assert rests == [5, 10, 20, 40, 60, 60]
    receiver.succeeded()
    receiver.failed()
    clock[0] += 5
    assert receiver.is_available


def test_a_receiver_that_names_its_rest_is_let_alone_for_that_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("voiceapp.core.jobs.shared_receiver.time.monotonic", lambda: clock[0])
    receiver = SharedReceiver(is_configured=lambda: True)
    receiver.failed(retry_after_s=300)
    clock[0] = 299
    assert not receiver.is_available
    clock[0] = 300
    assert receiver.is_available


def test_a_dead_queue_holds_up_no_order(
    send_request: SendRequest, queue_url: str, settings: Settings, alices: Organization
) -> None:
    got: list[object] = []
    settings.AWS_ENDPOINT_URL = closed_address()
    send_request()
    OutboxMessage.objects.create(topic="order.submitted", partition_key="a", body={}, organization=alices)
    outbox.register("order.submitted", got.append)
    assert tasks.sweep_outbox() == 1
    assert len(got) == 1


def test_a_dead_letter_is_seen_and_sent_again_in_the_admin(send_request: SendRequest, queue_url: str) -> None:
    send_request()
    OutboxMessage.objects.update(state=State.FAILED, attempts=10, last_error="sqs: no response (ReadTimeoutError)")
    dead = OutboxMessage.objects.get()
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    listing = client.get(reverse("admin:voice_sessions_outboxmessage_changelist") + "?state__exact=failed")
    assert TOPIC in listing.content.decode()
    assert "ReadTimeoutError" in listing.content.decode()
    chosen = {"action": "retry_chosen", "_selected_action": [str(dead.pk)]}
    client.post(reverse("admin:voice_sessions_outboxmessage_changelist"), chosen)
    assert tasks.sweep_outbox() == 1
    [message] = on_queue(queue_url)
    assert message["MessageAttributes"]["messageId"]["StringValue"] == str(dead.message_id)
