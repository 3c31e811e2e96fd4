"""Every address of the product is walked: a webhook of Twilio that lacks the signature check fails here.

LiveKit's webhook is tested in telephony/tests/livekit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from telephony import routing
from telephony.twilio import webhooks
from telephony.twilio.consumers import MediaStreamConsumer, NoSuchSocket
from telephony.twilio.models import PhoneNumber
from telephony.twilio.webhooks import after as after_webhook
from telephony.twilio.webhooks import status as status_webhook
from telephony.twilio.webhooks import voice

from .conftest import Twilio, verbs

FORM = "application/x-www-form-urlencoded"


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, address)
        else:
            yield address, pattern.callback


# Channels types its routers for one kind of route.
SOCKETS: Any = routing.sockets
ROUTES = dict(walk(get_resolver().url_patterns))
ALL_WEBHOOKS = sorted(
    address
    for address, view in ROUTES.items()
    if address.startswith(("twiml", "twilio"))
    or getattr(view, "__module__", "").startswith(("telephony.twilio.webhooks", "telephony.livekit.webhooks"))
)
LIVEKIT_WEBHOOK = "api/voice/webhook"
WEBHOOKS = [address for address in ALL_WEBHOOKS if address != LIVEKIT_WEBHOOK]


def test_these_are_all_webhooks() -> None:
    assert ALL_WEBHOOKS == [
        LIVEKIT_WEBHOOK,
        "twilio/call-status",
        "twilio/conference-status",
        "twilio/message",
        "twilio/message-status",
        "twilio/recording-status",
        "twilio/stream-status",
        "twilio/transfer-status",
        "twiml/after",
        "twiml/after-dial",
        "twiml/after-message",
        "twiml/start",
        "twiml/transfer/answered",
        "twiml/transfer/caller",
        "twiml/transfer/caller-over",
        "twiml/transfer/person-over",
        "twiml/transfer/pressed",
    ]


@pytest.mark.parametrize("address", WEBHOOKS)
def test_every_webhook_is_made_by_the_one_that_checks(address: str) -> None:
    assert getattr(ROUTES[address], "is_signed_by_twilio", False)


@pytest.mark.parametrize("address", WEBHOOKS)
def test_every_webhook_refuses_unsigned_requests_without_a_database_query(address: str, twilio: Twilio) -> None:
    unsigned = twilio.client.post(f"/{address}", "CallSid=x", content_type=FORM)
    forged = twilio.send(f"/{address}", "CallSid=x", "A" * 27 + "=")
    assert (unsigned.status_code, forged.status_code) == (403, 403)


@pytest.mark.parametrize("address", WEBHOOKS)
def test_every_webhook_refuses_forgeries_in_a_browser_with_csrf_checks_on(address: str) -> None:
    # csrf_exempt: the signature is what protects a webhook, so the answer is its 403 and not the CSRF page.
    response = Client(enforce_csrf_checks=True).post(f"/{address}", "", content_type=FORM)
    assert (response.status_code, response.content) == (403, b"")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("address", WEBHOOKS)
def test_every_webhook_takes_posts_alone(address: str, method: str, twilio: Twilio) -> None:
    response = twilio.client.generic(method, f"/{address}")
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.django_db
@pytest.mark.parametrize("address", WEBHOOKS)
def test_no_webhook_breaks_on_hostile_fields(address: str, twilio: Twilio, line: PhoneNumber) -> None:
    twilio.post("/twiml/start")
    hostile = "\x00\x1b[31m\r\n</Say><Dial>+979123</Dial>" + "é🍕" * 200
    for fields in (
        {"From": hostile, "CallStatus": hostile, "StreamSid": hostile, "StreamEvent": hostile},
        {"StreamEvent": "stream-error", "StreamError": hostile, "StreamSid": hostile},
        {"CallStatus": "completed", "SequenceNumber": "9" * 5000, "CallDuration": "٣"},
        {"CallStatus": "completed", "SequenceNumber": "-1", "CallDuration": "1e9"},
        {"DialCallStatus": hostile, "DialCallDuration": "NaN", "DialBridged": hostile},
        {"Body": hostile, "NumMedia": "9" * 5000, "OptOutType": hostile},
        {"MessageStatus": "failed", "ErrorCode": "9" * 5000},
        {"RecordingSid": hostile, "RecordingDuration": "", "RecordingUrl": hostile},
    ):
        response = twilio.post(f"/{address}", **fields)
        assert response.status_code in (200, 204)
        assert b"979123" not in response.content


def test_every_webhook_module_is_a_webhook_or_shared_by_them() -> None:
    modules = {path.stem for path in Path(webhooks.__path__[0]).glob("*.py")} - {"__init__", "endpoint"}
    behind = {getattr(ROUTES[address], "__module__", "").rpartition(".")[2] for address in WEBHOOKS}
    assert modules == behind


def break_database(*_: object, **__: object) -> None:
    raise OperationalError("the database is away")


def test_without_the_database_a_caller_hears_an_apology(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "open_call", break_database)
    monkeypatch.setattr(after_webhook, "find_call", break_database)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Say", "Hangup"]
    assert verbs(twilio.post("/twiml/after")) == ["Say", "Say", "Hangup"]


def test_without_the_database_a_callback_may_come_again(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_webhook, "find_call", break_database)
    assert twilio.post("/twilio/call-status", CallStatus="completed").status_code == 503


def test_every_stream_route_ends_at_the_consumer_that_checks_the_handshake() -> None:
    consumers = {str(route.pattern): route.callback.consumer_class for route in SOCKETS.routes}
    assert consumers.pop("ws/twilio") is MediaStreamConsumer
    assert set(consumers.values()) <= {MediaStreamConsumer, NoSuchSocket}, consumers


@pytest.mark.asyncio
@pytest.mark.parametrize("headers", [[], [(b"x-twilio-signature", b"A" * 27 + b"=")], [(b"origin", b"https://x")]])
async def test_a_stream_that_twilio_did_not_sign_is_closed_before_it_is_accepted(
    headers: list[tuple[bytes, bytes]],
) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/ws/twilio", "query_string": b"", "headers": headers, "client": None}
    await SOCKETS(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
