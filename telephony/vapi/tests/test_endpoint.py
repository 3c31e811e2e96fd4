"""`POST /vapi/webhook`: what VAPI sends is verified before it is parsed, kept once, and answered."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from pytest_django import Settings

from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from voiceapp.core.http.body_limits import VAPI_MESSAGE_BYTES

from .sender import SECRET, VapiSender

pytestmark = pytest.mark.django_db(transaction=True)

HEADERS: list[tuple[str, dict[str, str], int]] = [
    ("genuine", {"X-Vapi-Secret": SECRET}, 200),
    ("none", {}, 401),
    ("empty", {"X-Vapi-Secret": ""}, 401),
    ("another", {"X-Vapi-Secret": "x" * len(SECRET)}, 401),
    ("the beginning", {"X-Vapi-Secret": SECRET[:-1]}, 401),
    ("more than it", {"X-Vapi-Secret": SECRET + "x"}, 401),
    ("as a bearer", {"Authorization": f"Bearer {SECRET}"}, 401),
]
# As VAPI documents them (server-url/events).
COUNTED: dict[str, dict[str, Any]] = {
    "conversation-update": {
        "messages": [{"role": "bot", "message": "Hello!", "time": 1, "endTime": 2, "secondsFromStart": 0}],
        "messagesOpenAIFormatted": [{"role": "assistant", "content": "Hello!"}],
    },
    "speech-update": {"status": "started", "role": "assistant", "turn": 2},
    "transcript": {
        "role": "user", "transcriptType": "partial", "transcript": "I'd like to book...", "isFiltered": False,
        "detectedThreats": [], "originalTranscript": "I'd like to book...",
    },
    'transcript[transcriptType="final"]': {"role": "user", "transcriptType": "final", "transcript": "A pizza."},
    "model-output": {"output": "Hello", "turnId": "t1"},
    "user-interrupted": {"turnId": "t1"},
    "voice-input": {"input": "Hello, world!"},
    "language-change-detected": {"language": "es"},
    "phone-call-control": {"request": "forward", "destination": {"type": "sip", "sipUri": "sip:agent@example.com"}},
    "assistant.started": {"newAssistant": {"name": "Giulia"}},
    "call.endpointing.request": {"messagesOpenAIFormatted": []},
    "chat.created": {"chat": {"id": "c1"}},
    "session.updated": {"session": {"id": "s1"}},
}  # fmt: skip


def counted(kind: str) -> float:
    return REGISTRY.get_sample_value("voiceapp_vapi_messages_total", {"type": kind}) or 0


def refused() -> float:
    return REGISTRY.get_sample_value("voiceapp_signatures_refused_total", {"endpoint": "vapi"}) or 0


@pytest.mark.parametrize(("name", "headers", "status"), HEADERS, ids=[case[0] for case in HEADERS])
def test_only_the_secret_opens_it(vapi: VapiSender, name: str, headers: dict[str, str], status: int) -> None:
    before = refused()
    response = vapi.post({"message": vapi.message("hang")}, headers)
    assert response.status_code == status
    assert ProviderEvent.objects.count() == (status == 200)
    assert refused() - before == (status == 401)


def test_nothing_is_parsed_before_the_secret_is_right(vapi: VapiSender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(body: bytes) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("telephony.vapi.webhooks.read_message", fail)
    assert vapi.post_raw(b"[" * 10_000, {"X-Vapi-Secret": "wrong"}).status_code == 401


def test_without_a_secret_everyone_is_refused_with_a_sentence(vapi: VapiSender, settings: Settings) -> None:
    settings.VAPI_SERVER_SECRET = ""
    for headers in ({"X-Vapi-Secret": SECRET}, {"X-Vapi-Secret": ""}, {}):
        response = vapi.post({"message": vapi.message("hang")}, headers)
        assert response.status_code == 503
        assert "VAPI_SERVER_SECRET is not set" in response.json()["message"]


def test_a_bearer_token_in_a_header_of_its_own(vapi: VapiSender, settings: Settings) -> None:
    settings.VAPI_SERVER_AUTH, settings.VAPI_SERVER_HEADER = "bearer", "X-Our-Token"
    body = {"message": vapi.message("hang")}
    assert vapi.post(body, {"X-Our-Token": SECRET}).status_code == 200
    assert vapi.post(body).status_code == 401


def test_a_signature_over_the_body_and_the_time(vapi: VapiSender, settings: Settings) -> None:
    settings.VAPI_SERVER_AUTH, settings.VAPI_HMAC_ENCODING = "hmac", "base64"
    body = json.dumps({"message": vapi.message("hang")}).encode()
    at = str(int(time.time() * 1000))
    signature = base64.b64encode(hmac.new(SECRET.encode(), f"{at}.".encode() + body, "sha256").digest()).decode()
    headers = {"x-signature": signature, "x-timestamp": at}
    assert vapi.post_raw(body, headers).status_code == 200
    assert vapi.post_raw(body.replace(b"hang", b"gnah"), headers).status_code == 401
    assert vapi.post_raw(body, headers | {"x-timestamp": str(int(at) - 1)}).status_code == 401


@pytest.mark.parametrize("kind", COUNTED)
def test_what_means_nothing_to_us_is_counted_and_not_stored(vapi: VapiSender, kind: str) -> None:
    before = counted(kind)
    response = vapi.send(kind, **COUNTED[kind])
    assert (response.status_code, response.json()) == (200, {"received": True})
    assert counted(kind) - before == 1
    assert not ProviderEvent.objects.exists()


def test_what_we_do_not_offer_is_declined_in_vapis_form(vapi: VapiSender) -> None:
    handoff = vapi.send("handoff-destination-request", parameters={"destination": "sales"})
    assert set(handoff.json()) == {"error"}
    knowledge = vapi.send("knowledge-base-request", messages=[{"role": "user", "content": "Do you have pizza?"}])
    assert knowledge.json() == {"documents": []}
    noted = ProviderEvent.objects.order_by("id")
    assert [event.kind for event in noted] == ["handoff-destination-request", "knowledge-base-request"]
    assert "pizza" not in str([event.fields for event in noted])


def test_an_unknown_message_is_counted_under_one_name(vapi: VapiSender) -> None:
    before = counted("unknown")
    assert vapi.send("moon-landed").status_code == 200
    assert counted("unknown") - before == 1
    assert counted("moon-landed") == 0


def test_a_message_is_stored_once_however_often_it_comes(vapi: VapiSender, woken: list[str]) -> None:
    body = {"message": vapi.message("status-update", status="in-progress")}
    assert {vapi.post(body).status_code for _ in range(3)} == {200}
    stored = ProviderEvent.objects.get()
    assert (stored.source, stored.kind, stored.partition_key, stored.state) == (
        "vapi", "status-update", vapi.call_id, "waiting",
    )  # fmt: skip
    assert woken[:1] == ["vapi"]


def test_messages_of_one_kind_at_different_times_are_different(vapi: VapiSender) -> None:
    for status in ("queued", "ringing", "in-progress"):
        vapi.send("status-update", status=status)
    assert ProviderEvent.objects.count() == 3


def test_neither_numbers_nor_secrets_nor_prompts_are_stored(vapi: VapiSender) -> None:
    vapi.send(
        "end-of-call-report",
        endedReason="customer-ended-call",
        customer={"number": "+4915112345678"},
        phoneNumber={"number": "+493012345678", "twilioAuthToken": "secret-token"},
        assistant={"model": {"messages": [{"content": "secret-prompt"}]}, "server": {"secret": "secret-of-server"}},
        destination={"type": "number", "number": "+4915112345678"},
    )
    stored = json.dumps(ProviderEvent.objects.get().fields)
    assert "secret" not in stored
    assert "+49" not in stored


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(vapi: VapiSender, method: str) -> None:
    response = vapi.request(method)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_other_media_types_are_refused(vapi: VapiSender, content_type: str) -> None:
    body = json.dumps({"message": vapi.message("hang")}).encode()
    assert vapi.post_raw(body, content_type=content_type).status_code == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000, b'{"message": 1}', b'{"message": {}}'])
def test_what_is_no_message_is_refused(vapi: VapiSender, body: bytes) -> None:
    assert vapi.post_raw(body).status_code == 400
    assert not ProviderEvent.objects.exists()


def test_a_huge_body_is_refused(vapi: VapiSender) -> None:
    body = b'{"message": {"type": "hang", "x": "%s"}}' % (b"x" * VAPI_MESSAGE_BYTES)
    assert vapi.post_raw(body).status_code == 413


HOSTILE: list[dict[str, Any]] = [
    {"call": None},
    {"call": []},
    {"call": {"id": 5}},
    {"call": {"id": "x" * 10_000}},
    {"call": {"id": "\u0000\ud800"}},
    {"timestamp": "yesterday"},
    {"timestamp": 1e300},
    {"status": {"a": 1}},
    {"endedReason": ["a"], "costs": {"a": 1}, "artifact": "none"},
    {"endedReason": "\u0000", "cost": -1, "artifact": {"messages": [None, 1, {"role": []}]}},
    {"cost": 1e30, "startedAt": "now", "artifact": {"recordingUrl": "javascript:alert(1)"}},
]


@pytest.mark.parametrize("kind", ["status-update", "end-of-call-report", "hang", "transfer-update"])
@pytest.mark.parametrize("fields", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_fields_break_nothing(vapi: VapiSender, kind: str, fields: dict[str, Any]) -> None:
    assert vapi.send(kind, **fields).status_code == 200
    inbox.process_due(["vapi"])
    assert not ProviderEvent.objects.exclude(state="done").exists()


def test_the_response_is_503_while_the_database_is_away(vapi: VapiSender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "store", fail)
        assert vapi.send("hang").status_code == 503
    assert vapi.send("hang").status_code == 200
