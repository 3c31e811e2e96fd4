"""A restaurant with a number, and a Twilio that signs what it posts with Twilio's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from sessions.calls.models import Call
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.services.admission import Ring, open_call
from voiceapp.core.serving import serving

TOKEN = "the-auth-token-of-the-account"
ACCOUNT_SID = "AC" + "a" * 32
CALL_SID = "CA" + "1" * 32
MESSAGE_SID = "SM" + "3" * 32
STREAM_SID = "MZ" + "2" * 32
PUBLIC = "https://voice.example.com"
NUMBER = "+493012345678"
CALLER = "+4917612345678"


@pytest.fixture(autouse=True)
def own_account(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    settings.PUBLIC_BASE_URL = PUBLIC
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture(autouse=True)
def serving_process() -> Iterator[None]:
    yield
    serving.is_draining = False
    serving.live_calls = 0


@dataclass
class Twilio:
    """Posts to a webhook as Twilio does."""

    client: Client = field(default_factory=Client)
    token: str = TOKEN

    def form(self, **fields: str) -> dict[str, str]:
        return {
            "CallSid": CALL_SID,
            "MessageSid": MESSAGE_SID,
            "AccountSid": ACCOUNT_SID,
            "From": CALLER,
            "To": NUMBER,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        } | fields

    def post(self, path: str, **fields: str) -> HttpResponse:
        form = self.form(**fields)
        signature = RequestValidator(self.token).compute_signature(PUBLIC + path, form)
        return self.send(path, urlencode(form), signature)

    def send(
        self, path: str, body: str, signature: str, content_type: str = "application/x-www-form-urlencoded"
    ) -> HttpResponse:
        return self.client.post(path, body, content_type=content_type, headers={"X-Twilio-Signature": signature})  # type: ignore[return-value]


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


def make_line(name: str, number: str) -> PhoneNumber:
    """An organization that is always open, with one published agent behind one number."""
    organization = Organization.objects.create(name=name, slug=name.lower())
    agent = Agent.objects.create(organization=organization, name="Host", is_default=True)
    publish_agent(agent, by="alice")
    return PhoneNumber.objects.create(organization=organization, number=number)


@pytest.fixture
def line(db: None) -> PhoneNumber:
    return make_line("Alices", NUMBER)


@pytest.fixture
def strangers_line(db: None) -> PhoneNumber:
    return make_line("Charlies", "+493087654321")


def a_ring(**changes: str) -> Ring:
    said = {"call_sid": CALL_SID, "account_sid": ACCOUNT_SID, "caller": CALLER, "dialed": NUMBER} | changes
    return Ring(**said)


def new_call_sid() -> str:
    return "CA" + uuid4().hex


@pytest.fixture
def call(line: PhoneNumber) -> Call:
    """A call that rings."""
    return open_call(a_ring())


@pytest.fixture
def stream(call: Call) -> MediaStream:
    return MediaStream.objects.get(call=call)


def xml(response: HttpResponse) -> ElementTree.Element:
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("text/xml")
    return ElementTree.fromstring(response.content.decode())


def verbs(response: HttpResponse) -> list[str]:
    return [verb.tag for verb in xml(response)]
