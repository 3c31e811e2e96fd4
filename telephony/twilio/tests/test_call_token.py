"""Twilio's CallToken is sealed in the database, and removed when its call is over."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.transfers.models import CallerId, IfNobody, TransferMode, TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call
from telephony.tasks import reap_lost_calls
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up
from telephony.twilio.transfers.models import Transfer, TransferState
from telephony.twilio.transfers.returning import stream_back

from .conftest import Twilio

pytestmark = pytest.mark.django_db

CALL_TOKEN = "eyJhbGciOiJFUzI1NiJ9.a-token-of-twilio.c2lnbmF0dXJl"


@pytest.fixture
def stream(line: PhoneNumber, twilio: Twilio) -> MediaStream:
    twilio.post("/twiml/start", CallToken=CALL_TOKEN)
    return MediaStream.objects.get()


def stored() -> str:
    """Every text of the row."""
    return " ".join(map(str, MediaStream.objects.values().get().values()))


def test_a_token_is_unreadable_in_the_database(stream: MediaStream, settings: Settings) -> None:
    assert stream.call_token == CALL_TOKEN
    assert CALL_TOKEN not in stored()
    settings.SECRET_KEY = "another key, without the first one among its fallbacks"
    assert MediaStream.objects.get().call_token == ""


def test_a_token_is_of_its_call_alone(stream: MediaStream) -> None:
    other = Call.objects.create(carrier_sid="CA" + "9" * 32)
    moved = MediaStream.objects.create(
        call=other, account_sid="", expires_at=timezone.now(), sealed_call_token=stream.sealed_call_token
    )
    assert moved.call_token == ""


def test_a_token_goes_when_its_call_is_over_and_not_before(stream: MediaStream) -> None:
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now(), lease_expires_at=timezone.now())
    MediaStream.objects.update(used_at=timezone.now())
    reap_lost_calls()
    assert MediaStream.objects.get().call_token == CALL_TOKEN
    finish_call(stream.call_id, reason=EndReason.CALLER_HUNG_UP)
    reap_lost_calls()
    assert MediaStream.objects.get().sealed_call_token == ""


def test_the_stream_of_a_caller_who_comes_back_has_it_too(
    stream: MediaStream, line: PhoneNumber, twilio: Twilio
) -> None:
    TransferTarget.objects.create(
        organization=line.organization, slug="anna", name="Anna", number="+493055555551", mode=TransferMode.WARM,
        if_nobody=IfNobody.AGENT, caller_id=CallerId.CALLER,
    )  # fmt: skip
    Call.objects.update(state=CallState.CONNECTED, connected_at=timezone.now())
    set_follow_up(stream.pk, FollowUp.HAND_OVER, "anna")
    twilio.post("/twiml/after", CallStatus="in-progress")
    transfer = Transfer.objects.get()
    assert [attempt.caller_id for attempt in transfer.attempts.all()] == [CallerId.CALLER, CallerId.ORGANIZATION]
    Transfer.objects.update(state=TransferState.NOBODY)
    back = stream_back(Transfer.objects.get())
    assert back is not None
    assert back.call_token == CALL_TOKEN
