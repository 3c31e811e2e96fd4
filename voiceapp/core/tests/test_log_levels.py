"""What anyone on the internet can send makes no error line and no traceback in the log of a real server."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from voiceapp.tests.worker import until

pytestmark = pytest.mark.embedded

HOST = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
)
MANY = b"&".join(b"a%d=1" % number for number in range(3000))
REQUESTS = {
    "another host": b"GET /api/voice/session HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a host that is none": b"GET /admin/ HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "no address": b"GET /nope HTTP/1.1\r\n" + HOST + b"\r\n",
    "no HTTP": b"garbage\r\n\r\n",
    "a chunk that is none": b"POST /voice-session HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no such socket": b"GET /ws/none HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n",
    "an unsigned socket": b"GET /ws/twilio HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n",
    "a form without its token": b"POST /admin/login/ HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 3\r\n\r\na=b",
    "a query too long to redirect": b"GET /admin/?" + MANY + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the address": b"GET /%00%ff HTTP/1.1\r\n" + HOST + b"\r\n",
    "a session that is none": b"GET /admin/ HTTP/1.1\r\n" + HOST + b"Cookie: sessionid=%00; csrftoken=\xff\r\n\r\n",
    "a forged event": b"POST /api/voice/webhook HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/webhook+json\r\nAuthorization: a.b.c\r\nContent-Length: 2\r\n\r\n{}",
    "an unsigned call": b"POST /twiml/start HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: 3\r\n\r\na=b",
    "a voice session without a key": b"POST /voice-session HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}",
    "a provider that is not set up": b"POST /realtime_session HTTP/1.1\r\n" + HOST
    + b"Authorization: Bearer va_x\r\nContent-Length: 2\r\n\r\n{}",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """`manage.py serve` with an empty database; its port, and its log."""
    folder = tmp_path_factory.mktemp("served")
    log, out = folder / "log", folder / "out"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "REDIS_URL": "", "CELERY_BROKER_URL": "memory://",
        "LOG_LEVEL": "info", "SECRET_KEY": settings.SECRET_KEY,
    }  # fmt: skip
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v", "0"], env=environment, cwd=settings.BASE_DIR, check=True, stderr=-3)
    with log.open("wb") as errors, out.open("wb") as lines:
        process = subprocess.Popen(
            [*manage, "serve", "--host", "127.0.0.1", "--port", "0"],
            env=environment, cwd=settings.BASE_DIR, stderr=errors, stdout=lines,
        )  # fmt: skip
        try:
            until(lambda: "listening on" in out.read_text(), within_s=30)
            yield int(out.read_text().strip().rpartition(":")[2]), log
        finally:
            process.terminate()
            process.wait(15)


def send(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(request)
        client.settimeout(3)
        with contextlib.suppress(TimeoutError, ConnectionError):
            return client.recv(200)
    return b""


@pytest.mark.parametrize("name", REQUESTS)
def test_a_strange_request_is_no_error_of_ours(name: str, server: tuple[int, Path]) -> None:
    port, log = server
    before = log.stat().st_size
    response = send(port, REQUESTS[name])
    assert response.startswith(b"HTTP/1.1 ")
    assert not response.startswith(b"HTTP/1.1 500")
    send(port, b"GET /health-of-logs HTTP/1.1\r\n" + HOST + b"\r\n")
    until(lambda: b"health-of-logs" in log.read_bytes()[before:], within_s=5)
    text = log.read_bytes()[before:].decode()
    assert "Traceback" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert lines
    assert {line["level"] for line in lines} <= {"info", "warning"}, lines
