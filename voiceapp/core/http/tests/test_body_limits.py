"""A body beyond its route's limit gets 413 before anything else runs, with and without Content-Length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings as project
from prometheus_client import REGISTRY

from agents.organizations.models import Organization
from voiceapp.core.http.body_limits import DEFAULT_BYTES, KIB, MAX_BODY_BYTES, MIB, max_body_bytes

from .wire import Wire, request

ROUTES = [
    "/api/voice/session", "/api/voice/token", "/api/realtime/submit-order", "/voice-session", "/realtime_session",
    "/api/voice/webhook", "/twiml/start", "/twilio/call-status", "/admin/login/", "/admin/agents/organization/add/",
    "/", "/health", "/metrics", "/nothing/here",
]  # fmt: skip


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("voiceapp_edge_refused_total", {"reason": reason}) or 0


@pytest.mark.parametrize("path", ROUTES)
def test_one_byte_too_many_is_413_chunked_or_not(wire: Wire, path: str) -> None:
    limit, before = max_body_bytes(path), refused("body_too_large")
    responses = [wire.request("POST", path, b"x" * (limit + 1), chunked=chunked) for chunked in (True, False)]
    assert [response.status for response in responses] == [413, 413]
    assert all(response.headers["connection"] == "close" for response in responses)
    assert refused("body_too_large") - before == 2


@pytest.mark.parametrize("path", ROUTES)
def test_what_just_fits_is_read(wire: Wire, path: str) -> None:
    for chunked in (True, False):
        assert wire.request("POST", path, b"x" * max_body_bytes(path), chunked=chunked).status != 413


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS", "BREW"])
def test_the_limit_holds_for_every_method(wire: Wire, method: str) -> None:
    for chunked in (True, False):
        response = wire.request(method, "/voice-session", b"x" * (256 * KIB + 1), chunked=chunked)
        assert response.status in (413, 400)  # 400: httptools knows no such method


def test_the_body_is_refused_by_its_length_before_it_is_sent(wire: Wire) -> None:
    with wire.open(b"POST /voice-session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 314572800\r\n\r\n") as sock:
        sock.settimeout(2)
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


def test_100_continue_is_sent_only_if_the_body_is_accepted(wire: Wire) -> None:
    def head(length: int) -> bytes:
        return b"POST /voice-session HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length

    for length, start in ((10, b"HTTP/1.1 100 "), (MIB, b"HTTP/1.1 413 ")):
        with wire.open(head(length)) as sock:
            sock.settimeout(2)
            assert sock.recv(100).startswith(start)


def test_an_endless_chunked_body_is_cut_off_and_stays_out_of_memory_and_disk(wire: Wire) -> None:
    sent = 0
    with wire.open(*request("POST", "/voice-session")[:1]) as sock:
        sock.settimeout(30)
        try:
            while sent < 300 * MIB:
                sock.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                sent += 65_536
        except OSError:
            pass
    assert sent < 20 * MIB


def test_a_body_of_long_chunk_extensions_is_cut_off(wire: Wire) -> None:
    extension = b"1;" + b"x" * 15_000 + b"\r\nx\r\n"
    sent = 0
    with wire.open(*request("POST", "/voice-session")[:1]) as sock:
        sock.settimeout(5)
        try:
            while sent < 100 * MIB:
                sock.sendall(extension)
                sent += len(extension)
        except OSError:
            pass
    assert sent < 20 * MIB


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/api/voice/session", {"error", "message", "details"}),
        ("/api/voice/webhook", {"error", "message", "details"}),
        ("/realtime_session", {"error_code", "message"}),
        ("/api/realtime/submit-order", {"error"}),
    ],
)
def test_the_refusal_has_the_shape_of_its_endpoint(wire: Wire, path: str, keys: set[str]) -> None:
    response = wire.request("POST", path, b"x" * MIB)
    assert (response.status, set(response.json())) == (413, keys)
    assert response.headers["x-request-id"] in response.body.decode() or path == "/realtime_session"
    assert response.headers["cache-control"] == "no-store"


def test_a_browser_gets_a_page(wire: Wire) -> None:
    response = wire.request("POST", "/admin/agents/organization/add/", b"x" * 2 * MIB, Accept="text/html,*/*")
    assert response.status == 413
    assert b"The body is limited to 1024 KiB." in response.body
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/voice/webhook", 512 * KIB),
        ("/api/voice/webhooks", 512 * KIB),
        ("/vapi/webhook", 2 * MIB),
        ("/admin", DEFAULT_BYTES),
        ("", 16 * KIB),
    ],
)
def test_the_longest_beginning_of_a_path_counts(path: str, limit: int) -> None:
    assert max_body_bytes(path) == limit


def test_the_documentation_has_the_table() -> None:
    text = (Path(project.BASE_DIR) / "docs/reference/limits.md").read_text()
    rows = dict(re.findall(r"^\| `(/[^`]*)` \| (\d+) KiB \|$", text, re.M))
    assert {path: int(kib) * KIB for path, kib in rows.items()} == MAX_BODY_BYTES
    assert f"everything else | {DEFAULT_BYTES // KIB} KiB" in text


def test_an_answer_after_a_large_body_leaves_the_connection_as_it_was(wire: Wire, organization: Organization) -> None:
    body = b"x" * (200 * KIB)
    with wire.open(b"".join(request("POST", "/voice-session", body)) + b"".join(request("GET", "/health"))) as sock:
        text = b""
        while b'"status": "ok"' not in text:
            text += sock.recv(65536)
    assert [part[:3] for part in text.split(b"HTTP/1.1 ")[1:]] == [b"401", b"200"]
