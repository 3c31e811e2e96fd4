"""The client of VAPI's REST API, against a server that speaks HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from voiceapp.providers.errors import RetryClass
from voiceapp.providers.vapi import rest
from voiceapp.providers.vapi.client import VapiClient, VapiError, VapiErrorKind, read_call

KEY = "the-private-key"
# As VAPI documents the response of POST /call with its websocket transport.
CREATED = {
    "id": "7420f27a-30fd-4f49-a995-5549ae7cc00d",
    "orgId": "eb166faa-7145-46ef-8044-589b47ae3b56",
    "assistantId": "732ba29e-4aeb-48ad-bd47-440d3fce8b26",
    "type": "vapi.websocketCall",
    "status": "queued",
    "cost": 0,
    "createdAt": "2026-11-20T12:00:00.000Z",
    "transport": {"provider": "vapi.websocket", "websocketCallUrl": "ws://127.0.0.1:9/7420f27a/transport"},
    "monitor": {"listenUrl": "ws://127.0.0.1:9/listen", "controlUrl": "http://127.0.0.1:9/control"},
}


class Vapi(ThreadingHTTPServer):
    """Responds to every request with `response`, and records it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.response: tuple[int, Any] = (201, CREATED)
        self.headers: dict[str, str] = {}
        self.delay_s = 0.0
        self.loses_responses = False
        self.requests: list[tuple[str, str, Any, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Vapi)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, json.loads(body) if body else None, headers))
        time.sleep(self.server.delay_s)
        if self.server.loses_responses:
            self.close_connection = True
            return
        status, response = self.server.response
        content = response if isinstance(response, bytes) else json.dumps(response).encode()
        with contextlib.suppress(OSError):  # the client may have given up
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def vapi() -> Iterator[Vapi]:
    with Vapi() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(vapi: Vapi) -> VapiClient:
    return VapiClient(api_key=KEY, base_url=vapi.url, version="1")


def test_a_call_is_created_with_mulaw_over_the_websocket_transport(client: VapiClient, vapi: Vapi) -> None:
    call = client.create_call("an-assistant", overrides={"metadata": {"callId": "ours"}}, name="Call of ours")
    assert (call.id, call.status, call.is_over) == (CREATED["id"], "queued", False)
    assert call.websocket_url.startswith("ws://127.0.0.1")
    ((method, path, body, headers),) = vapi.requests
    assert (method, path) == ("POST", "/call")
    assert body == {
        "assistantId": "an-assistant",
        "assistantOverrides": {"metadata": {"callId": "ours"}},
        "name": "Call of ours",
        "transport": {
            "provider": "vapi.websocket",
            "conversationType": "voice",
            "audioFormat": {"format": "mulaw", "container": "raw", "sampleRate": 8000},
        },
    }
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"] == "voiceapp/1"


def test_a_transient_assistant_goes_in_the_place_of_an_id(client: VapiClient, vapi: Vapi) -> None:
    client.create_call({"firstMessage": "Hello."})
    body = vapi.requests[0][2]
    assert body["assistant"] == {"firstMessage": "Hello."}
    assert "assistantId" not in body


def test_the_urls_of_a_call_are_secret(client: VapiClient) -> None:
    assert "transport" not in repr(client.create_call("a"))
    assert "control" not in repr(client.create_call("a"))


async def _twice(client: VapiClient) -> None:
    await client.acreate_call("a")
    await client.acreate_call("a")


def test_the_event_loop_creates_calls_over_a_kept_connection(client: VapiClient, vapi: Vapi) -> None:
    asyncio.run(_twice(client))
    assert len(vapi.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (400, VapiErrorKind.REFUSED, RetryClass.OUR_BUG),
        (401, VapiErrorKind.CREDENTIALS_REFUSED, RetryClass.GIVE_UP),
        (402, VapiErrorKind.PAYMENT_REQUIRED, RetryClass.GIVE_UP),
        (403, VapiErrorKind.CREDENTIALS_REFUSED, RetryClass.GIVE_UP),
        (404, VapiErrorKind.NOT_FOUND, RetryClass.GIVE_UP),
        (429, VapiErrorKind.RATE_LIMITED, RetryClass.AGAIN),
        (500, VapiErrorKind.UNAVAILABLE, RetryClass.AGAIN),
        (503, VapiErrorKind.UNAVAILABLE, RetryClass.AGAIN),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    client: VapiClient, vapi: Vapi, status: int, kind: VapiErrorKind, retry: RetryClass
) -> None:
    vapi.response = (status, {"message": "Not this way.", "statusCode": status})
    with pytest.raises(VapiError) as raised:
        client.create_call("a")
    assert (raised.value.kind, raised.value.retry_class, raised.value.status) == (kind, retry, status)


def test_a_named_wait_is_kept(client: VapiClient, vapi: Vapi) -> None:
    vapi.response, vapi.headers = (429, {"message": "Slow down."}), {"Retry-After": "7"}
    with pytest.raises(VapiError) as raised:
        client.create_call("a")
    assert (raised.value.retry_class, raised.value.retry_after_s) == (RetryClass.WAIT, 7)


def test_the_words_of_a_refusal_are_kept_but_not_those_about_a_key(client: VapiClient, vapi: Vapi) -> None:
    vapi.response = (400, {"message": ["assistant.property voiceId should not exist"]})
    with pytest.raises(VapiError, match="voiceId should not exist"):
        client.create_call("a")
    vapi.response = (401, {"message": f"Invalid key {KEY}."})
    with pytest.raises(VapiError) as raised:
        client.create_call("a")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("response", [b"", b"[]", b"{", b'{"id": 7}', b'"text"', b"[" * 100_000, b"\xff"])
def test_a_response_that_is_no_call_is_malformed(client: VapiClient, vapi: Vapi, response: bytes) -> None:
    vapi.response = (201, response)
    with pytest.raises(VapiError) as raised:
        client.create_call("a")
    assert raised.value.kind is VapiErrorKind.MALFORMED_RESPONSE
    assert not raised.value.permanent


def test_a_call_without_a_socket_is_malformed(client: VapiClient, vapi: Vapi) -> None:
    vapi.response = (201, CREATED | {"transport": {"provider": "vapi.websocket"}})
    with pytest.raises(VapiError, match="without its socket"):
        client.create_call("a")


def test_a_call_that_concurrency_blocks_is_refused(client: VapiClient, vapi: Vapi) -> None:
    limits = {"concurrencyBlocked": True, "concurrencyLimit": 10, "remainingConcurrentCalls": 0}
    vapi.response = (201, CREATED | {"subscriptionLimits": limits})
    with pytest.raises(VapiError) as raised:
        client.create_call("a")
    assert raised.value.kind is VapiErrorKind.CONCURRENCY_BLOCKED
    assert not raised.value.permanent


@pytest.mark.parametrize("url", ["ws://voice.example.com/t", "wss://user@voice.example.com/t", "wss://", "file:///t"])
def test_a_socket_elsewhere_must_be_encrypted(vapi: Vapi, client: VapiClient, url: str) -> None:
    vapi.response = (201, CREATED | {"transport": {"provider": "vapi.websocket", "websocketCallUrl": url}})
    with pytest.raises(VapiError, match="not wss") as raised:
        client.create_call("a")
    assert url not in str(raised.value)


def test_a_socket_on_this_machine_is_only_for_a_vapi_on_this_machine() -> None:
    real = VapiClient(api_key=KEY, base_url="https://api.vapi.ai", version="1")
    with pytest.raises(VapiError, match="not wss"):
        real._created(CREATED)


def test_a_response_that_is_too_late_is_a_timeout(
    client: VapiClient, vapi: Vapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "WHOLE_RESPONSE_S", 0.2)
    vapi.delay_s = 1
    with pytest.raises(VapiError) as raised:
        client.get_call("7420f27a")
    assert (raised.value.kind, raised.value.permanent) == (VapiErrorKind.TIMEOUT, False)


def test_a_response_without_end_is_cut(client: VapiClient, vapi: Vapi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MAX_RESPONSE_BYTES", 1000)
    vapi.response = (200, b"[" + b'"x",' * 1000 + b'"x"]')
    with pytest.raises(VapiError, match="too large"):
        client.list_assistants()


def test_an_assistant_is_not_created_again_if_the_response_is_lost(client: VapiClient, vapi: Vapi) -> None:
    vapi.loses_responses = True
    with pytest.raises(VapiError) as caught:
        client.create_assistant({"name": "Garage"})
    assert caught.value.kind is VapiErrorKind.UNAVAILABLE
    assert len(vapi.requests) == 1


def test_nothing_is_requested_without_a_key(settings: Settings) -> None:
    settings.VAPI_API_KEY = ""
    with pytest.raises(VapiError) as raised:
        VapiClient.from_settings()
    assert raised.value.permanent


def test_an_id_of_another_shape_is_not_requested(client: VapiClient, vapi: Vapi) -> None:
    with pytest.raises(VapiError) as raised:
        client.get_call("../assistant")
    assert (raised.value.kind, raised.value.permanent) == (VapiErrorKind.NOT_FOUND, True)
    assert not vapi.requests


def test_an_ended_call_says_how_it_ended_and_what_it_cost(client: VapiClient, vapi: Vapi) -> None:
    ended = {
        "status": "ended",
        "endedReason": "assistant-ended-call",
        "cost": 0.0725,
        "endedAt": "2026-11-20T12:01:00Z",
    }
    vapi.response = (200, CREATED | ended)
    call = client.get_call("7420f27a")
    assert (call.is_over, call.ended_reason, call.cost_usd) == (True, "assistant-ended-call", Decimal("0.072500"))
    assert call.ended_at is not None
    assert call.ended_at.minute == 1


@pytest.mark.parametrize("cost", ["0.1", True, -1, float("nan"), 1e12, None])
def test_a_cost_that_is_no_amount_is_unknown(cost: object) -> None:
    assert read_call(CREATED | {"cost": cost}).cost_usd is None


def test_a_call_is_ended_by_its_control_url_without_our_key(client: VapiClient, vapi: Vapi) -> None:
    vapi.response = (201, CREATED | {"monitor": {"controlUrl": f"{vapi.url}/7420f27a/control"}})
    call = client.create_call("a")
    vapi.response = (200, {})
    assert client.end_call(call)
    method, path, body, headers = vapi.requests[-1]
    assert (method, path, body) == ("POST", "/7420f27a/control", {"type": "end-call"})
    assert "authorization" not in headers
    vapi.response = (404, {"message": "Call not found."})
    assert not client.end_call(call)


def test_a_control_message_goes_to_vapi_alone(client: VapiClient, vapi: Vapi) -> None:
    vapi.response = (200, {})
    client.control(f"{vapi.url}/7420f27a/control", {"type": "transfer"})
    assert vapi.requests[-1][:3] == ("POST", "/7420f27a/control", {"type": "transfer"})
    sent = len(vapi.requests)
    for url in (
        "https://example.com/control",
        "https://vapi.ai.example.com/control",
        "https://evilvapi.ai/control",
        "http://call.vapi.ai/control",
        "https://user@call.vapi.ai/control",
        "https://127.0.0.2/control",
        "file:///etc/passwd",
        "",
    ):
        with pytest.raises(VapiError):
            client.control(url, {"type": "transfer"})
    assert len(vapi.requests) == sent


def test_assistants_are_listed_read_made_changed_and_deleted(client: VapiClient, vapi: Vapi) -> None:
    one = {"id": "a1", "name": "Garage", "firstMessage": "Hello."}
    vapi.response = (200, [one])
    assert [each.name for each in client.list_assistants()] == ["Garage"]
    vapi.response = (200, one)
    assert client.get_assistant("a1").fields["firstMessage"] == "Hello."
    assert client.create_assistant({"name": "Garage"}).id == "a1"
    assert client.update_assistant("a1", {"name": "Garage"}).id == "a1"
    client.delete_assistant("a1")
    assert [request[:2] for request in vapi.requests] == [
        ("GET", "/assistant?limit=1000"),
        ("GET", "/assistant/a1"),
        ("POST", "/assistant"),
        ("PATCH", "/assistant/a1"),
        ("DELETE", "/assistant/a1"),
    ]
