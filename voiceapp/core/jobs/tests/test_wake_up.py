"""The wake-up: a broker that fails or hangs never delays the commit of an order."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from voiceapp.core.jobs import wake_up as module
from voiceapp.core.jobs.wake_up import MAX_WAITING, WakeUp

HANGS_S = 60
TASK = "sessions.tasks.deliver_outbox"


class Broker:
    """Stands in for Celery's application at the one call that is made of it."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.arrived = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def send_task(self, name: str, args: list[str], **_: object) -> None:
        self.arrived.set()
        self.may_answer.wait(HANGS_S)
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        assert name == TASK
        self.sent.extend(args)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(module, "current_app", broker)
    return broker


def wait_for(sent: list[object], count: int) -> None:
    deadline = time.monotonic() + 5
    while len(sent) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(sent) == count


def test_a_task_is_sent(broker: Broker) -> None:
    WakeUp(TASK)("order.submitted")
    wait_for(broker.sent, 1)
    assert broker.sent == ["order.submitted"]


def test_a_broker_that_refuses_is_forgotten(broker: Broker) -> None:
    broker.error = ConnectionRefusedError()
    wake_up = WakeUp(TASK)
    wake_up("lost")
    wake_up("sent")
    wait_for(broker.sent, 1)
    assert broker.sent == ["sent"]


def test_a_broker_that_hangs_costs_the_caller_nothing(broker: Broker) -> None:
    broker.may_answer.clear()
    wake_up = WakeUp(TASK)
    wake_up("first")
    assert broker.arrived.wait(5)
    for number in range(MAX_WAITING + 50):
        wake_up(f"more {number}")
    assert broker.sent == []  # the broker still hangs
    broker.may_answer.set()
    wait_for(broker.sent, MAX_WAITING + 1)


def test_a_wake_up_that_still_waits_is_sent_once(broker: Broker) -> None:
    broker.may_answer.clear()
    wake_up = WakeUp(TASK)
    wake_up("topic")
    assert broker.arrived.wait(5)
    for _ in range(MAX_WAITING + 50):
        wake_up("topic")
    wake_up("other")
    broker.may_answer.set()
    wait_for(broker.sent, 3)
    assert broker.sent == ["topic", "topic", "other"]


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """It accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(HANGS_S)
        yield server


def test_a_real_broker_that_never_answers_costs_nothing_either(
    silent_server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = silent_server.getsockname()[1]
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)  # Celery prefers it to its argument
    app = Celery("hung", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": HANGS_S, "socket_connect_timeout": HANGS_S}
    monkeypatch.setattr(module, "current_app", app)
    began = time.monotonic()
    WakeUp(TASK)("order.submitted")
    assert time.monotonic() - began < HANGS_S / 2
    # The thread has reached this broker, and will not meet that of another test.
    silent_server.accept()[0].close()
