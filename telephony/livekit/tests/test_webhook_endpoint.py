"""`POST /api/voice/webhook`: genuine events are stored once and answered at once; anything else is refused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from pytest_django import Settings

from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.livekit import webhooks
from voiceapp.core.jobs.wake_up import WakeUp
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

from .webhook_sender import WebhookSender, sign

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLE: dict[str, Any] = {
    "event": "participant_joined",
    "room": {"name": "support-user123-1640995200", "creationTime": 1640995200},
    "participant": {"identity": "user123", "name": "John Doe"},
}
EVENTS = [
    "room_started", "room_finished", "participant_joined", "participant_left", "track_published", "track_unpublished",
    "egress_started", "egress_ended",
]  # fmt: skip
NEWER = [
    "participant_connection_aborted", "egress_updated", "ingress_started", "ingress_ended", "agent_job_started",
    "agent_job_ended", "moon_landed",
]  # fmt: skip


def refused() -> float:
    return REGISTRY.get_sample_value("voiceapp_signatures_refused_total", {"endpoint": "livekit"}) or 0


def test_the_example_of_the_documentation_is_received(sender: WebhookSender, woken: list[str]) -> None:
    response = sender.send_event(**EXAMPLE)
    assert (response.status_code, response.json()) == (200, {"received": True, "event": "participant_joined"})
    stored = ProviderEvent.objects.get()
    assert (stored.source, stored.kind, stored.partition_key) == (
        "livekit",
        "participant_joined",
        "support-user123-1640995200",
    )
    assert (stored.state, stored.call, stored.dedup_key[:7]) == ("waiting", None, "sha256:")
    assert woken == ["livekit"]


@pytest.mark.parametrize("event", EVENTS + NEWER)
def test_every_event_is_received_be_it_known_or_not(sender: WebhookSender, event: str) -> None:
    response = sender.send_event(
        event, id="EV_1", createdAt=str(int(time.time())), room={"name": "nobodys", "sid": "RM_1"}
    )
    assert (response.status_code, response.json()) == (200, {"received": True, "event": event})
    assert ProviderEvent.objects.get().dedup_key == "EV_1"


@pytest.mark.parametrize("about", [{"id": "EV_1"}, {}], ids=["an id", "no id"])
def test_a_repeated_event_gets_the_same_response_and_is_stored_once(
    sender: WebhookSender, about: dict[str, str]
) -> None:
    responses = [sender.send_event("room_started", room={"name": "harbour"}, **about) for _ in range(3)]
    assert {(response.status_code, response.text) for response in responses} == {(200, responses[0].text)}
    assert ProviderEvent.objects.count() == 1


def test_an_event_repeated_after_it_was_processed_stays_processed(sender: WebhookSender) -> None:
    sender.send_event("room_started", id="EV_1", room={"name": "harbour"})
    ProviderEvent.objects.update(state="done")
    assert sender.send_event("room_started", id="EV_1", room={"name": "harbour"}).status_code == 200
    assert ProviderEvent.objects.get().state == "done"


@pytest.mark.parametrize(
    "content_type", ["application/webhook+json", "application/json", "application/json; charset=utf-8"]
)
def test_both_media_types_are_taken(sender: WebhookSender, content_type: str) -> None:
    body = json.dumps(EXAMPLE).encode()
    assert sender.send(body, sign(body), content_type).status_code == 200


# Forgeries: the fourteen cases that were measured on LiveKit's own receiver.

CASES: dict[str, tuple[Callable[[bytes], str], int]] = {
    "genuine": (sign, 200),
    "no token": (lambda body: "", 401),
    "not a token": (lambda body: "certainly not", 401),
    "a bearer": (lambda body: f"Bearer {sign(body)}", 401),
    "another body": (lambda body: sign(body + b" "), 401),
    "no hash": (lambda body: sign(body, sha256=None), 401),
    "a participant's token": (
        lambda body: LiveKitClient.from_settings().join_token(room="harbour", identity="caller-1"),
        401,
    ),
    "another secret": (lambda body: sign(body, secret="x" * 40), 401),
    "another key": (lambda body: sign(body, iss="APIother"), 401),
    "alg none": (lambda body: sign(body, algorithm="none"), 401),
    "another algorithm": (lambda body: sign(body, secret=API_SECRET * 2, algorithm="HS512"), 401),
    "expired": (lambda body: sign(body, exp=int(time.time()) - 120), 401),
    "expired just now": (lambda body: sign(body, exp=int(time.time()) - 30), 200),
    "not yet good": (lambda body: sign(body, nbf=int(time.time()) + 120), 401),
}


@pytest.mark.parametrize("case", CASES)
def test_only_a_genuine_signature_is_accepted(sender: WebhookSender, case: str) -> None:
    make, status = CASES[case]
    body = json.dumps({"event": "room_started", "id": "EV_1", "room": {"name": "harbour"}}).encode()
    before = refused()
    response = sender.send(body, make(body))
    assert response.status_code == status
    assert ProviderEvent.objects.filter(verdict="verified").count() == (status == 200)
    assert refused() - before == (status == 401)
    if status == 401:
        assert response.json() == {"error": "Unauthorized"}


@pytest.mark.parametrize("age_s", [700, -700])
def test_an_event_of_another_time_is_refused_though_it_is_signed(sender: WebhookSender, age_s: int) -> None:
    assert sender.send_event("room_started", id="EV_1", createdAt=str(int(time.time()) - age_s)).status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000, b'{"event": 1}', b'{"event": ""}'])
def test_a_signed_body_that_is_no_event_is_refused(sender: WebhookSender, body: bytes) -> None:
    assert sender.send(body, sign(body)).status_code == 401
    assert not ProviderEvent.objects.filter(verdict="verified").exists()


def test_an_earlier_key_is_refused(sender: WebhookSender, project: Settings) -> None:
    project.LIVEKIT_API_KEY = "APInew"
    body = json.dumps(EXAMPLE).encode()
    assert sender.send(body, sign(body, iss=API_KEY)).status_code == 401
    assert sender.send(body, sign(body, iss="APInew")).status_code == 200


# What else is refused


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(sender: WebhookSender, method: str) -> None:
    response = sender.request(method)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert set(response.json()) == {"error", "message", "details"}
        assert response.json()["error"] == "Method Not Allowed"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_other_media_types_are_refused(sender: WebhookSender, content_type: str) -> None:
    body = json.dumps(EXAMPLE).encode()
    response = sender.send(body, sign(body), content_type)
    assert (response.status_code, response.json()["error"]) == (415, "Unsupported Media Type")


def test_a_huge_body_is_refused_before_it_is_read_to_its_end(sender: WebhookSender) -> None:
    body = json.dumps({"event": "room_started", "room": {"metadata": "x" * webhooks.MAX_BODY_BYTES}}).encode()
    assert sender.send(body, sign(body)).status_code == 413
    assert not ProviderEvent.objects.filter(verdict="verified").exists()


@pytest.mark.parametrize("name", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_INTERNAL_URL"])
def test_without_livekit_the_service_is_not_configured(sender: WebhookSender, project: Settings, name: str) -> None:
    setattr(project, name, "")
    project.LIVEKIT_HOST = ""
    response = sender.send_event(**EXAMPLE)
    assert (response.status_code, response.json()["error"]) == (503, "Voice service not configured")


def test_the_response_is_503_while_the_database_is_away(sender: WebhookSender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "store", fail)
        response = sender.send_event(**EXAMPLE)
    assert (response.status_code, response.json()["error"]) == (503, "Service Unavailable")
    assert sender.send_event(**EXAMPLE).status_code == 200


def test_there_is_no_rate_limit(sender: WebhookSender, settings: Settings) -> None:
    settings.LIMIT_READ = settings.LIMIT_SESSION_CREATION = "1/h"
    responses = [sender.send_event("room_started", id=f"EV_{number}") for number in range(20)]
    assert {response.status_code for response in responses} == {200}
    assert not [name for name in responses[0].headers if name.lower().startswith("x-ratelimit")]


# What is stored


def test_neither_credentials_nor_unused_fields_are_stored(sender: WebhookSender) -> None:
    sender.send_event(
        "egress_ended",
        room={"name": "harbour", "metadata": "secret-metadata"},
        participant={"sid": "PA_1", "attributes": {"sip.phoneNumber": "secret-number"}, "metadata": "secret"},
        egressInfo={"egressId": "EG_1", "roomComposite": {"fileOutputs": [{"s3": {"secret": "very-secret"}}]}},
    )
    stored = ProviderEvent.objects.get()
    assert "secret" not in json.dumps(stored.fields)
    assert stored.fields["participant"] == {"sid": "PA_1"}


def test_names_too_long_for_their_columns_are_cut(sender: WebhookSender) -> None:
    for number in range(2):
        response = sender.send_event(f"event{'x' * 300}", id=f"{'y' * 300}{number}", room={"name": "z" * 300})
        assert response.status_code == 200
    stored = ProviderEvent.objects.all()
    assert {(len(each.kind), len(each.partition_key)) for each in stored} == {(60, 128)}
    assert len({each.dedup_key for each in stored}) == 2


def test_a_broker_that_hangs_delays_no_response(sender: WebhookSender, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def hang(*_: object, **__: object) -> None:
        answers.wait(60)

    monkeypatch.setattr("celery.app.base.Celery.send_task", hang)
    monkeypatch.setattr(inbox, "wake_up", WakeUp("telephony.tasks.process_events"))
    sender.send_event("room_started", id="EV_0")
    responses: list[httpx.Response] = [sender.send_event("room_started", id=f"EV_{number}") for number in range(1, 6)]
    assert {response.status_code for response in responses} == {200}
    assert not answers.is_set()
    answers.set()
