"""The product over HTTP, the simulated carrier, Alice's garage, and a customer's phone of each test's own."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text
from sessions.messages.texts.services.queueing import TOPIC, queue_text
from telephony.twilio.models import PhoneNumber
from voiceapp.simulators.tests.in_thread import in_thread
from voiceapp.simulators.twilio import TwilioSimulator

ACCOUNT_SID = "AC" + "d" * 32
AUTH_TOKEN = "auth-token-of-the-texts"
_numbers = itertools.count(random.randrange(10**6))


@pytest.fixture(scope="session")
def simulator() -> Iterator[TwilioSimulator]:
    with in_thread(TwilioSimulator(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)) as simulator:
        yield simulator


def new_number() -> str:
    """A German mobile number that no other test uses."""
    return f"+4915{next(_numbers) % 10**9 + 10**8:09d}"[:14]


@dataclass
class Customer:
    """A customer's phone."""

    number: str
    base_url: str
    our_number: str = ""
    sms_url: str = ""

    def inbox(self, count: int = 0, *, within_s: float = 0) -> list[str]:
        """The bodies of the texts that arrived, once so many have."""
        query: dict[str, str] = {"number": self.number, "count": str(count), "wait_s": str(within_s)}
        found = httpx.get(f"{self.base_url}/local/messages", params=query, timeout=30).json()
        return [each["body"] for each in found["messages"]]

    def receives(self, what: str) -> None:
        """What becomes of texts to this phone."""
        httpx.put(f"{self.base_url}/local/numbers/{self.number}", json={"texts": what}).raise_for_status()

    def texts(self, body: str) -> None:
        given = {"from": self.number, "to": self.our_number, "body": body, "sms_url": self.sms_url}
        httpx.post(f"{self.base_url}/local/messages", json=given).raise_for_status()


@pytest.fixture
def product(transactional_db: None, live_server: LiveServer, simulator: TwilioSimulator, settings: Settings) -> str:
    """The product's address, with the simulated account."""
    settings.PUBLIC_BASE_URL = live_server.url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
    settings.TWILIO_BASE_URL = simulator.base_url
    return live_server.url


def make_garage(name: str = "Alice's Garage", number: str = "") -> Organization:
    organization = make_organization(name)
    PhoneNumber.objects.create(organization=organization, number=number or new_number())
    return organization


@pytest.fixture
def garage(product: str) -> Organization:
    return make_garage()


@pytest.fixture
def customer(garage: Organization, product: str, simulator: TwilioSimulator) -> Customer:
    our_number = PhoneNumber.objects.get(organization=garage).number
    return Customer(new_number(), simulator.base_url, our_number, f"{product}/twilio/message")


def queue(garage: Organization, to: str, *, key: str = "a", **more: Any) -> Text:
    """A text about an appointment."""
    fields = {"service": "Oil change", "date": "Thursday", "time": "9:30"}
    return queue_text(garage, to=to, kind=TextKind.APPOINTMENT_CONFIRMATION, fields=fields, key=key, **more)


def send() -> int:
    """Do what a worker does now."""
    return outbox.process_due([TOPIC])


def later() -> None:
    """The waits of the outbox are over."""
    OutboxMessage.objects.update(due_at=timezone.now(), lease_expires_at=None)


def becomes(text: Text, state: str, *, within_s: float = 15) -> Text:
    """The text, once it is in that state."""
    until(lambda: Text.objects.get(pk=text.pk).state == state, within_s=within_s)
    text.refresh_from_db()
    return text


def until(claim: Callable[[], bool], *, within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def account(settings: Settings) -> None:
    """An account to which nothing is sent."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
