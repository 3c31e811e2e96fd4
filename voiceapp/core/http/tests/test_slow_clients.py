"""Who sends half a request is not waited for; who waits for us, and every media socket, is left alone."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from voiceapp.core.http.connections import connections

from .wire import Wire, is_closed, read_response, request

pytestmark = pytest.mark.waits

HEAD_S, BODY_S = 1, 3
# On a busy machine. The tests wait for a connection longer than that.
SOON_S = 8
JSON = b"POST /voice-session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def short_times(wire: Wire, settings: Settings) -> None:
    settings.REQUEST_HEAD_TIMEOUT_S, settings.REQUEST_BODY_TIMEOUT_S = HEAD_S, BODY_S


def trickle(sock: socket.socket, piece: Callable[[], bytes], *, until_s: float) -> float:
    """Send a piece every 0.2 s; after how many seconds the other side has closed, or `until_s`."""
    began = time.monotonic()
    sock.settimeout(0.2)
    with contextlib.suppress(ConnectionError):
        while (passed_s := time.monotonic() - began) < until_s:
            sock.sendall(piece())
            try:
                if not sock.recv(65536):
                    return passed_s
            except TimeoutError:
                continue
        return until_s
    return time.monotonic() - began


HALF = {
    "nothing": b"",
    "a method": b"GE",
    "an empty line": b"\r\n",
    "a line": b"GET / HTTP/1.1\r\n",
    "half a name": b"GET / HTTP/1.1\r\nHo",
    "a head without its end": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "an upgrade without its end": b"GET /ws/twilio HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
}


@pytest.mark.parametrize("half", HALF)
def test_half_a_head_is_closed_in_time(wire: Wire, half: str) -> None:
    began = time.monotonic()
    with wire.open(HALF[half]) as sock:
        response = read_response(sock)
        assert response.status == (408 if half not in ("nothing", "an empty line") else 0)
        assert is_closed(sock, 1)
    assert HEAD_S - 0.2 < time.monotonic() - began < HEAD_S + SOON_S


TRICKLES = {
    "a head": (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"),
    "a name": (b"GET / HTTP/1.1\r\nX-", b"a"),
    "empty lines": (b"", b"\r\n"),
    "an address": (b"GET /", b"a"),
    "a request, then empty lines": (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n"),
    "a request, then half of another": (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /", b"a"),
}


@pytest.mark.parametrize("kind", TRICKLES)
def test_a_head_that_comes_byte_by_byte_is_closed_in_time(wire: Wire, kind: str) -> None:
    start, piece = TRICKLES[kind]
    with wire.open(start) as sock:
        assert trickle(sock, lambda: piece, until_s=30) < HEAD_S + SOON_S


HALF_BODIES = {
    "nothing of it": b"Content-Length: 10\r\n\r\n",
    "half of it": b"Content-Length: 10\r\n\r\n{",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\n",
    "half a chunk": b"Transfer-Encoding: chunked\r\n\r\n9\r\n{",
    "chunks without their end": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "half a trailer": b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
}


@pytest.mark.parametrize("half", HALF_BODIES)
def test_half_a_body_is_answered_408_in_time(wire: Wire, half: str) -> None:
    began = time.monotonic()
    with wire.open(JSON + HALF_BODIES[half]) as sock:
        response = read_response(sock)
        assert (response.status, response.headers["connection"]) == (408, "close")
        assert response.json()["error"]
        assert is_closed(sock, 2)
    assert time.monotonic() - began < BODY_S / 3 + 1 + SOON_S


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"Content-Length: 1000\r\n\r\n", b"x"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ],
)
def test_a_body_that_comes_byte_by_byte_ends_in_time(wire: Wire, start: bytes, piece: bytes) -> None:
    with wire.open(JSON + start) as sock:
        assert trickle(sock, lambda: piece, until_s=30) < BODY_S + 1 + SOON_S


def test_a_body_beside_an_upgrade_to_a_socket_does_not_stay_open(wire: Wire) -> None:
    head = (
        b"GET /ws/twilio HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with wire.open(head) as sock:
        assert trickle(sock, lambda: b"1\r\nx\r\n", until_s=30) < HEAD_S + SOON_S


def test_a_handshake_that_is_none_does_not_stay_open(wire: Wire) -> None:
    with wire.open(b"GET /ws/twilio HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n") as sock:
        assert is_closed(sock, 3)


def test_a_connection_without_requests_is_closed(wire: Wire) -> None:
    with wire.open(*request("GET", "/health", chunked=False)) as sock:
        assert read_response(sock).status == 200
        assert is_closed(sock, 7)  # uvicorn's own 5 s


def test_who_sends_its_half_and_says_no_more_is_closed_at_once(wire: Wire) -> None:
    for half in (b"GET / HT", JSON + b"Content-Length: 10\r\n\r\n{"):
        with wire.open(half) as sock:
            sock.shutdown(socket.SHUT_WR)
            assert is_closed(sock, 0.8)


def test_a_head_without_end_is_431(wire: Wire) -> None:
    with wire.open(b"GET / HTTP/1.1\r\n") as sock:
        sock.settimeout(5)
        with contextlib.suppress(ConnectionError):
            for number in range(200):
                sock.sendall(b"X-%d: %b\r\n" % (number, b"x" * 2000))
                time.sleep(0.001)
        assert read_response(sock).status in (431, 0)
        assert is_closed(sock, 1)


# What is left alone


@pytest.fixture
def slow_livekit(settings: Settings) -> Iterator[None]:
    """Answers nothing for two seconds, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.LIVEKIT_INTERNAL_URL = settings.LIVEKIT_HOST = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = "APItest", "s" * 32

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    threading.Timer(2, sock.close).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.usefixtures("slow_livekit")
@pytest.mark.parametrize("then", [b"", b"GET /hea", b"\r\n"], ids=["silence", "half of another", "an empty line"])
def test_who_waits_for_our_answer_gets_it(wire: Wire, key: dict[str, Any], then: bytes) -> None:
    began = time.monotonic()
    with wire.open(*request("POST", "/api/voice/session", b"{}", **key)) as sock:
        time.sleep(0.2)
        sock.sendall(then)
        response = read_response(sock)
    assert response.status == 503
    assert time.monotonic() - began > HEAD_S + 0.5


def test_a_slow_but_steady_body_is_taken(wire: Wire, key: dict[str, Any], settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL = settings.LIVEKIT_HOST = ""
    head, *chunks = request("POST", "/api/voice/session", b'{"callType": "support"}', **key)
    body = b"".join(chunks)
    response = wire.send(head, *(body[start : start + 20] for start in range(0, len(body), 20)), pause_s=0.25)
    assert response.status == 503  # LiveKit is not configured: it was read


def test_a_media_socket_has_no_timeouts_and_is_no_connection_of_its_address(wire: Wire, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN, settings.TWILIO_ACCOUNT_SID = "t" * 32, "AC" + "0" * 32
    settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{wire.port}"
    signature = RequestValidator("t" * 32).compute_signature(f"ws://127.0.0.1:{wire.port}/ws/twilio", {})
    handshake = (
        "GET /ws/twilio HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"X-Twilio-Signature: {signature}\r\n\r\n"
    )
    before = len(connections)
    settings.MAX_CONNECTIONS_PER_ADDRESS = before + 1
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(wire.open(handshake.encode())) for _ in range(4)]
        for sock in sockets:
            assert sock.recv(1000).startswith(b"HTTP/1.1 101 ")
        assert len(connections) == before
        # `connected`, and then silence: the socket waits for `start` for five seconds by its own rule.
        assert not is_closed(sockets[0], HEAD_S + 1.5)
        for sock in sockets:
            sock.sendall(b"\x88\x80\x00\x00\x00\x00")
