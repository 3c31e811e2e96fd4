"""However many requests come at once, exactly the limit is let through, wherever it is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from voiceapp.core.limits.counting import count, refund
from voiceapp.core.limits.limit import LIMITS, SESSION_CREATION, Limit, parse_rate
from voiceapp.core.limits.models import LimitCount

from .conftest import NOW
from .crowd import at_once

ROOT = Path(__file__).resolve().parents[4]
REQUESTS = {
    "session_creation": ("post", "/session"),
    "realtime": ("post", "/realtime"),
    "recording": ("patch", "/recording"),
    "read": ("get", "/session"),
    "realtime_session": ("post", "/realtime_session"),
}

pytestmark = [
    pytest.mark.waits,
    pytest.mark.urls("voiceapp.core.limits.tests.endpoints"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("held_clock"),
]


@pytest.fixture(params=["in_memory", pytest.param("on_redis", marks=pytest.mark.servers), "redis_is_down"])
def counted(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_of_64_requests_at_once_the_limit_is_let_through(counted: str, limit: Limit, settings: Settings) -> None:
    if limit.name == "read":
        settings.LIMIT_READ = "50/15m"
    method, url = REQUESTS[limit.name]
    client = Client()
    client.handler.load_middleware()
    responses = at_once(64, lambda: getattr(client, method)(url, headers={"X-Subject": "alice@diner"}))
    allowed = limit.rate.count
    assert Counter(response.status_code for response in responses) == {200: allowed, 429: 64 - allowed}
    # Each accepted request got a different remainder, down to 0.
    left = sorted(int(response["X-RateLimit-Remaining"]) for response in responses if response.status_code == 200)
    assert left == list(range(allowed))
    assert LimitCount.objects.count() == (1 if counted == "redis_is_down" else 0)


def test_of_64_at_once_those_refused_for_their_form_take_no_place(counted: str) -> None:
    client = Client()
    client.handler.load_middleware()
    headers = {"X-Subject": "alice@diner"}
    refused = at_once(64, lambda: client.patch("/session?no=field", headers=headers))
    assert {response.status_code for response in refused} <= {400, 429}
    responses = [client.post("/session", headers=headers) for _ in range(11)]
    assert [response.status_code for response in responses] == [200] * 10 + [429]


def test_a_refunded_request_is_counted_again(counted: str) -> None:
    usages = [count(SESSION_CREATION, "subject:alice") for _ in range(3)]
    assert [refund(SESSION_CREATION, "subject:alice", usage).used for usage in usages[1:]] == [1, 2]
    assert [count(SESSION_CREATION, "subject:alice").used for _ in range(2)] == [2, 3]


def test_no_request_is_refunded_to_another_window(counted: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        usage = count(SESSION_CREATION, "subject:alice")
        clock.move_to(usage.resets_at)
        assert count(SESSION_CREATION, "subject:alice").used == 1
        refund(SESSION_CREATION, "subject:alice", usage)
        assert count(SESSION_CREATION, "subject:alice").used == 2


def test_two_clients_at_once_are_not_counted_together(counted: str) -> None:
    whos = [f"subject:{number % 2}" for number in range(64)]
    used = at_once(64, lambda: count(SESSION_CREATION, whos.pop()).used)
    assert sorted(used) == sorted([*range(1, 33)] * 2)


@pytest.mark.servers
@pytest.mark.usefixtures("on_redis")
def test_four_processes_of_eight_threads_let_exactly_the_limit_through(settings: Settings) -> None:
    environment = os.environ | {"COUNT_PREFIX": settings.RATELIMIT_CACHE_PREFIX, "COUNT_AT": NOW}
    command = [sys.executable, "-m", "voiceapp.core.limits.tests.counting_process"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT, "env": environment}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    used = [int(number) for process in processes for number in process.communicate(timeout=60)[0].split()]
    assert sorted(used) == list(range(1, 65))
    assert sum(number <= parse_rate("10/h").count for number in used) == 10


def test_the_counters_windows_end_with_the_clock(counted: str, settings: Settings) -> None:
    settings.LIMIT_SESSION_CREATION = "1/m"
    with time_machine.travel(NOW, tick=False) as clock:
        first = count(SESSION_CREATION, "subject:alice")
        assert count(SESSION_CREATION, "subject:alice").is_exceeded
        clock.move_to(first.resets_at - 1)
        assert count(SESSION_CREATION, "subject:alice").is_exceeded
        clock.move_to(first.resets_at)
        again = count(SESSION_CREATION, "subject:alice")
    assert (again.used, again.resets_at) == (1, first.resets_at + 60)
