"""Webhooks run in few threads that keep their connections, and are answered as by Django's own handler."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from telephony.twilio import signature

from .wire import Wire, request

SIGNED = {"X_Twilio_Signature": "bm90IG91cnM=", "Content_Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/twiml/start", 403),
        ("POST", "/twilio/call-status?orgId=%00%ff", 403),
        ("POST", "/twiml/nothing", 404),
        ("GET", "/twilio/call-status", 405),
        ("HEAD", "/twilio/call-status", 405),
    ],
)
def test_a_webhook_is_answered_as_by_djangos_handler(
    wire: Wire, client: Client, method: str, path: str, status: int
) -> None:
    answer = wire.request(method, path, b"CallSid=CA1" if method == "POST" else b"", chunked=False, **SIGNED)

    expected = client.generic(method, path, "CallSid=CA1", SIGNED["Content_Type"], HTTP_X_TWILIO_SIGNATURE="x")
    assert answer.status == expected.status_code == status
    own = {"date", "x-request-id", "connection", "content-length"}
    assert {name for name in answer.headers if name not in own} == {
        name.lower() for name in expected.headers if name.lower() not in own
    }


def test_a_body_that_is_too_large_is_refused_before_it_takes_a_thread(wire: Wire) -> None:
    assert wire.request("POST", "/twiml/start", b"x" * 70_000, chunked=False, **SIGNED).status == 413


def test_a_burst_of_webhooks_waits_for_eight_threads(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()
    eight_came = threading.Barrier(8)

    def slow(*_: object) -> bool:
        names.add(threading.current_thread().name)
        eight_came.wait(10)
        return False

    monkeypatch.setattr(signature, "is_signed", slow)

    def send(_: int) -> int:
        return wire.send(*request("POST", "/twiml/start", b"CallSid=CA1", chunked=False, **SIGNED)).status

    with ThreadPoolExecutor(24) as callers:
        statuses = list(callers.map(send, range(24)))

    assert statuses == [403] * 24
    assert len(names) == 8
    assert all(name.startswith("webhooks") for name in names)
