"""Statuses of the carrier in any order: what is delivered or failed stays so."""

from __future__ import annotations

import itertools

import pytest
from django.test import Client

from agents.organizations.models import Organization
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.services.statuses import note_status

from .conftest import make_garage, new_number, queue

pytestmark = pytest.mark.django_db
SID = "SM" + "1" * 32


@pytest.fixture
def text(account: None) -> Text:
    return queue(make_garage(), new_number())


@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sent", "delivered"])), ids="-".join)
def test_in_every_order_a_text_is_delivered(text: Text, order: tuple[str, ...]) -> None:
    for status in order:
        note_status(SID, status, text_id=text.pk)
    text.refresh_from_db()
    assert (text.state, text.carrier_status, text.provider_sid) == (TextState.DELIVERED, "delivered", SID)


@pytest.mark.parametrize(("first", "then", "state"), [
    ("delivered", "undelivered", TextState.DELIVERED),
    ("undelivered", "delivered", TextState.FAILED),
    ("failed", "sent", TextState.FAILED),
    ("delivered", "melted", TextState.DELIVERED),
    ("sent", "", TextState.SENT),
])  # fmt: skip
def test_the_first_end_stands(text: Text, first: str, then: str, state: TextState) -> None:
    note_status(SID, first, text_id=text.pk, error_code=30003 if first == "undelivered" else None)
    note_status(SID, then, text_id=text.pk)
    text.refresh_from_db()
    assert text.state == state


def test_a_text_has_one_carrier_id(text: Text) -> None:
    note_status(SID, "sent", text_id=text.pk)
    assert note_status("SM" + "2" * 32, "failed", text_id=text.pk, error_code=30007) is None
    text.refresh_from_db()
    assert (text.state, text.provider_sid) == (TextState.SENT, SID)


def test_a_status_of_an_unknown_text_changes_nothing(text: Text) -> None:
    assert note_status(SID, "delivered") is None
    text.refresh_from_db()
    assert text.state == TextState.WAITING


def test_an_unsigned_status_is_refused(text: Text, client: Client) -> None:
    path = f"/twilio/message-status?text={text.pk}"
    assert client.post(path, {"MessageSid": SID, "MessageStatus": "delivered"}).status_code == 403
    text.refresh_from_db()
    assert text.state == TextState.WAITING


def test_a_text_of_another_organization_is_another_text(text: Text) -> None:
    other: Organization = make_garage("Charlie's Garage")
    note_status(SID, "delivered", text_id=queue(other, new_number()).pk)
    text.refresh_from_db()
    assert text.state == TextState.WAITING
