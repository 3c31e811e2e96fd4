"""An address may have so many connections; beyond them the one that waits longest is closed, not the newest."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from pytest_django import Settings

from voiceapp.core.http.connections import ConnectionTable, connections

from .wire import Wire, is_closed, read_response, request

MOST = 5
HALVES = [
    b"GET / HTTP/1.1\r\nHost: x\r\n",
    b"POST /voice-session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{",
    b"POST /voice-session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"",
]


@pytest.fixture(autouse=True)
def few(wire: Wire, settings: Settings) -> None:
    until = time.monotonic() + 7  # connections of earlier tests
    while len(connections) and time.monotonic() < until:
        time.sleep(0.05)
    settings.MAX_CONNECTIONS_PER_ADDRESS = MOST


def health(wire: Wire, **headers: Any) -> int:
    return wire.request("GET", "/health", chunked=False, **headers).status


@pytest.mark.parametrize("half", HALVES, ids=["half a head", "half a body", "no chunk", "nothing"])
def test_half_sent_requests_keep_no_more_places_than_there_are(wire: Wire, half: bytes) -> None:
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(4 * MOST):
            opened.append(stack.enter_context(wire.open(half)))
            assert health(wire) == 200
        assert connections.count_of("127.0.0.1") <= MOST
        assert all(is_closed(sock, 1) for sock in opened[: 3 * MOST])
        assert not is_closed(opened[-1], 0.2)


def test_connections_between_requests_give_way_as_well(wire: Wire) -> None:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(wire.open(*request("GET", "/health", chunked=False))) for _ in range(MOST)]
        assert [read_response(sock).status for sock in opened] == [200] * MOST
        assert health(wire) == 200
        assert is_closed(opened[0], 1)
        assert not is_closed(opened[-1], 0.2)


def test_another_address_has_places_of_its_own(wire: Wire) -> None:
    other = Wire(wire.port, source="127.0.0.2")
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(other.open(HALVES[0]))
        for _ in range(3 * MOST):
            stack.enter_context(wire.open(HALVES[0]))
        assert health(other) == health(wire) == 200
        assert not is_closed(kept, 0.3)


def test_behind_a_proxy_its_connections_are_not_bounded_but_the_requests_of_an_address_are(
    wire: Wire, settings: Settings
) -> None:
    settings.TRUSTED_PROXY_COUNT = 1

    def half_body(address: str) -> bytes:
        return HALVES[1].replace(b"Host: x", b"Host: x\r\nX-Forwarded-For: 6.6.6.6, " + address.encode())

    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(wire.open(half_body("203.0.113.7"))) for _ in range(MOST)]
        time.sleep(0.3)
        crowded = wire.request("GET", "/api/docs", chunked=False, X_Forwarded_For="1.1.1.1, 203.0.113.7")
        assert (crowded.status, crowded.headers["retry-after"]) == (429, "1")
        assert wire.request("GET", "/api/docs", chunked=False, X_Forwarded_For="203.0.113.7, 203.0.113.8").status == 200
        assert health(wire, X_Forwarded_For="203.0.113.7") == 200
        assert not any(is_closed(sock, 0.05) for sock in opened)
    time.sleep(0.3)
    assert wire.request("GET", "/api/docs", chunked=False, X_Forwarded_For="203.0.113.7").status == 200


def test_nothing_is_counted_twice_or_left_behind(wire: Wire) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(wire.open(HALVES[0]))
        time.sleep(0.2)
        assert connections.count_of("127.0.0.1") == 3
    until = time.monotonic() + 2
    while len(connections) and time.monotonic() < until:
        time.sleep(0.02)
    assert (len(connections), connections.count_of("127.0.0.1")) == (0, 0)


class Line:
    def __init__(self, *, is_idle: bool) -> None:
        self.is_idle = is_idle
        self.has_left = False

    def evict(self) -> None:
        self.has_left = True


def test_the_newest_is_refused_only_where_all_others_are_being_answered(settings: Settings) -> None:
    table = ConnectionTable()
    lines = [Line(is_idle=False) for _ in range(MOST)]
    newest = Line(is_idle=True)
    for line in (*lines, newest):
        table.add(line, "203.0.113.7")
    assert newest.has_left
    assert not any(line.has_left for line in lines)
    assert len(table) == MOST


def test_the_total_is_bounded_over_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voiceapp.core.http.connections.max_connections", lambda: 10)
    table = ConnectionTable()
    lines = [Line(is_idle=True) for _ in range(30)]
    for number, line in enumerate(lines):
        table.add(line, f"203.0.113.{number}" if number % 2 else "")
    assert [line.has_left for line in lines] == [True] * 20 + [False] * 10
    assert len(table) == 10
