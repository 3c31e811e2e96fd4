"""A body that is there counts, however it is framed: it is read, or the request is refused and nothing is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from agents.organizations.models import Organization
from sessions.calls.models import Call
from telephony.events.models import ProviderEvent
from telephony.livekit.tests.webhook_sender import sign
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, name_livekit, running_livekit
from voiceapp.tests.schema_paths import JSON_OPERATIONS, ORGANIZATION

from .wire import Answer, Wire, request

pytestmark = pytest.mark.embedded

SESSION = "/api/voice/session"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def livekit(settings: Settings) -> Iterator[None]:
    with running_livekit() as running:
        name_livekit(settings, running.url)
        yield


@pytest.mark.usefixtures("livekit")
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "with its length"])
def test_a_call_is_not_recorded_when_its_body_says_so(wire: Wire, key: dict[str, Any], chunked: bool) -> None:
    body = json.dumps({"enableRecording": False, "enableAiAgent": False, "roomName": "quiet"}).encode()
    response = wire.request("POST", SESSION, body, chunked=chunked, **key)
    assert (response.status, response.json()["session"]["roomName"]) == (200, "quiet")
    assert Call.objects.get().is_recording_wanted is False


@pytest.mark.parametrize("operation", JSON_OPERATIONS, ids=lambda operation: " ".join(operation))
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"enableRecording=false", 400), (b'{"no_such_field": 1}', 400), (b"[]", 400), (b"null", 400),
        (b'"x"', 400), (b"\xff\xfe", 400), (b'{"roomName": "a", "roomName": "b"}', 400), (b"{}{}", 400),
        (b'{"x": "' + b"x" * 300_000 + b'"}', 413),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)  # fmt: skip
def test_every_json_endpoint_reads_a_chunked_body(
    wire: Wire, key: dict[str, Any], operation: tuple[str, str], body: bytes, status: int, settings: Settings
) -> None:
    settings.INTERNAL_API_KEY = "i" * 40
    Organization.objects.update(slug=ORGANIZATION)
    method, path = operation
    headers = {**key, "Idempotency_Key": "one"}
    if path.startswith("/api/realtime/"):
        headers["Authorization"] = "Bearer " + "i" * 40
    assert wire.request(method, path, body, **headers).status == status
    assert not Call.objects.exists()


@pytest.mark.parametrize("operation", JSON_OPERATIONS, ids=lambda operation: " ".join(operation))
def test_no_json_endpoint_takes_a_body_of_another_type(
    wire: Wire, key: dict[str, Any], operation: tuple[str, str], settings: Settings
) -> None:
    settings.INTERNAL_API_KEY = "i" * 40
    Organization.objects.update(slug=ORGANIZATION)
    method, path = operation
    headers = {**key, "Idempotency_Key": "one"}
    if path.startswith("/api/realtime/"):
        headers["Authorization"] = "Bearer " + "i" * 40
    for content_type in ("", "text/plain", FORM, "multipart/form-data; boundary=x"):
        assert wire.request(method, path, b"{}", **{**headers, "Content_Type": content_type}).status == 415
    coded = wire.request(method, path, b"\x1f\x8b", **headers, Content_Encoding="gzip")
    assert (coded.status, coded.headers["accept-encoding"]) == (415, "identity")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_where_none_is_taken_is_refused_unless_it_is_empty(
    wire: Wire, key: dict[str, Any], method: str, chunked: bool
) -> None:
    def status(body: bytes) -> int:
        return wire.request(method, f"{SESSION}?roomName=none", body, chunked=chunked, **key).status

    assert [status(body) for body in (b'{"roomName": "other"}', b"{", b"[1]")] == [400] * 3
    assert [status(body) for body in (b"", b"{}", b" {} ")] == [404] * 3


def test_an_empty_chunked_body_is_no_body(wire: Wire, key: dict[str, Any], settings: Settings) -> None:
    settings.LIVEKIT_INTERNAL_URL = settings.LIVEKIT_HOST = ""
    # 503: LiveKit is not configured. The request itself was taken, as one without a body is.
    assert (
        wire.request("POST", SESSION, b"", **key).status
        == wire.request("POST", SESSION, chunked=False, **key).status
        == 503
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_the_charset_changes_nothing(wire: Wire, key: dict[str, Any], mark: bytes) -> None:
    headers = {**key, "Content_Type": "application/json; charset=iso-8859-1"}
    response = wire.request("POST", SESSION, mark + '{"callType": "ü"}'.encode(), **headers)
    assert (response.status, response.json()["error"]) == (400, "Invalid call type")
    assert wire.request("POST", SESSION, mark + '{"callType": "ü"}'.encode("latin-1"), **headers).status == 400


# Framing that lies


LYING = {
    "no length, but a body": (["Content-Length: 0"], b'{"enableRecording": false}'),
    "no length, a body, and the end": (["Content-Length: 0", "Connection: close"], b'{"enableRecording": false}'),
    "too short": (["Content-Length: 2"], b'{}  {"enableRecording": false}'),
    "too short, and the end": (["Content-Length: 2", "Connection: close"], b'{} {"enableRecording": false}'),
    "two lengths": (["Content-Length: 2", "Content-Length: 3"], b"{} "),
    "a length and chunks": (["Content-Length: 2", "Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
    "no number": (["Content-Length: two"], b"{}"),
    "a negative number": (["Content-Length: -2"], b"{}"),
    "chunks that are none": (["Transfer-Encoding: chunked"], b'{"enableRecording": false}'),
    "a chunk that is too short": (["Transfer-Encoding: chunked"], b"1\r\n{}\r\n0\r\n\r\n"),
    "a coding that is not known": (["Transfer-Encoding: gzip"], b"{}"),
    "two codings": (["Transfer-Encoding: gzip, chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
    "a coding twice": (["Transfer-Encoding: chunked, chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
}


@pytest.mark.usefixtures("livekit")
@pytest.mark.parametrize("lie", LYING)
def test_a_request_whose_framing_lies_is_not_carried_out(wire: Wire, key: dict[str, Any], lie: str) -> None:
    lines, body = LYING[lie]
    head = "\r\n".join([f"POST {SESSION} HTTP/1.1", "Host: localhost", *lines, "Content-Type: application/json"])
    response = wire.send(f"{head}\r\nAuthorization: {key['Authorization']}\r\n\r\n".encode() + body)
    assert response.status in (400, 501)
    assert not Call.objects.exists()


@pytest.mark.usefixtures("livekit")
def test_a_body_that_ends_before_its_length_is_not_carried_out(wire: Wire, key: dict[str, Any]) -> None:
    head, _ = request("POST", SESSION, b"{}" + b" " * 50, chunked=False, **key)
    with wire.open(head, b"{}"):
        pass
    assert wire.request("GET", SESSION, chunked=False, **key).json()["total"] == 0


def test_a_body_beside_an_upgrade_that_is_not_known_counts(wire: Wire, key: dict[str, Any]) -> None:
    headers = {**key, "Connection": "Upgrade", "Upgrade": "h2c"}
    assert wire.request("POST", SESSION, b"{", chunked=False, **headers).status == 400
    assert wire.request("POST", SESSION, b"{", **headers).status == 400


def test_requests_sent_at_once_are_answered_in_their_order(wire: Wire, key: dict[str, Any]) -> None:
    def room(name: str) -> bytes:
        return b"".join(request("DELETE", f"{SESSION}?roomName={name}", b"{}", **key))

    with wire.open(room("a") + b"".join(request("GET", "/health", chunked=False)) + room("b")) as sock:
        text = b""
        while text.count(b"HTTP/1.1 ") < 3 or not text.endswith(b"}"):
            text += sock.recv(65536)
    assert [part[:3] for part in text.split(b"HTTP/1.1 ")[1:]] == [b"404", b"200", b"404"]


# Forms and webhooks


def sign_in(wire: Wire, body: bytes, content_type: str, client: Client) -> Answer:
    token = client.get("/admin/login/").cookies["csrftoken"].value
    return wire.request(
        "POST", "/admin/login/", body.replace(b"TOKEN", token.encode()), Content_Type=content_type,
        Cookie=f"csrftoken={token}",
    )  # fmt: skip


def multipart(**fields: str) -> bytes:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return ("".join(parts) + "--x--\r\n").encode()


FIELDS = {"csrfmiddlewaretoken": "TOKEN", "username": "alice", "password": "secret"}


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_a_chunked_form_is_read_by_the_admin(wire: Wire, client: Client, kind: str) -> None:
    User.objects.create_superuser("alice", password="secret")
    urlencoded = "&".join(f"{name}={value}" for name, value in FIELDS.items()).encode()
    body = urlencoded if kind == "urlencoded" else multipart(**FIELDS)
    response = sign_in(wire, body, FORM if kind == "urlencoded" else "multipart/form-data; boundary=x", client)
    assert (response.status, response.headers["location"]) == (302, "/admin/")


def test_a_chunked_webhook_of_twilio_is_signed_over_its_fields(wire: Wire, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN, settings.TWILIO_ACCOUNT_SID = "t" * 32, "AC" + "0" * 32
    fields = {"CallSid": "CA" + "0" * 32, "AccountSid": settings.TWILIO_ACCOUNT_SID, "CallStatus": "completed"}
    url = f"{settings.PUBLIC_BASE_URL}/twilio/call-status"
    signature = RequestValidator("t" * 32).compute_signature(url, fields)
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    sent: dict[str, Any] = {"Content_Type": FORM, "X_Twilio_Signature": signature}
    assert wire.request("POST", "/twilio/call-status", body, **sent).status == 204
    assert wire.request("POST", "/twilio/call-status", body + b"&CallDuration=9", **sent).status == 403
    assert wire.request("POST", "/twilio/call-status", b"", **sent).status == 403


def test_a_chunked_event_of_livekit_is_kept(wire: Wire, settings: Settings) -> None:
    name_livekit(settings, "http://127.0.0.1:1")
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = API_KEY, API_SECRET
    body = json.dumps({"event": "room_started", "id": "EV_1", "room": {"name": "harbour"}}).encode()
    sent: dict[str, Any] = {"Content_Type": "application/webhook+json", "Authorization": sign(body)}
    assert wire.request("POST", "/api/voice/webhook", body, **sent).status == 200
    assert wire.request("POST", "/api/voice/webhook", body + b" ", **sent).status == 401
    assert ProviderEvent.objects.get().dedup_key == "EV_1"


def test_a_form_that_the_check_for_forged_requests_has_read_is_no_json(wire: Wire, organization: Organization) -> None:
    client = Client(enforce_csrf_checks=True)
    User.objects.create_superuser("alice", password="secret")
    client.login(username="alice", password="secret")
    token = client.get("/admin/").cookies["csrftoken"].value
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    for content_type, body in (
        (FORM, f"csrfmiddlewaretoken={token}".encode()),
        ("multipart/form-data; boundary=x", multipart(csrfmiddlewaretoken=token)),
    ):
        response = wire.request("POST", SESSION, body, Cookie=cookies, Content_Type=content_type, X_CSRFToken=token)
        assert response.status == 415
    assert not Call.objects.exists()
