"""The token of a media stream: ours alone, used once, in time, for its own call."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from agents.organizations.models import Organization
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.services.admission import open_call
from telephony.twilio.services.streams import RedeemedStream, TokenRefused, redeem_token
from telephony.twilio.tokens import stream_id_of, token_for
from voiceapp.core.metrics import tokens_refused

from .conftest import ACCOUNT_SID, CALL_SID, CALLER, STREAM_SID, a_ring, new_call_sid


def redeem(
    token: str,
    *,
    call_sid: str = CALL_SID,
    account_sid: str = ACCOUNT_SID,
    hints: Mapping[str, str] | None = None,
) -> RedeemedStream:
    return redeem_token(token, call_sid=call_sid, account_sid=account_sid, stream_sid=STREAM_SID, hints=hints or {})


def refusals(reason: str) -> float:
    return float(tokens_refused.labels(reason)._value.get())


def refused(reason: str, token: str, **changes: object) -> None:
    """The token is refused for this reason, which is counted, and the call stays as it is."""
    before, state = refusals(reason), list(Call.objects.values_list("state", flat=True))
    with pytest.raises(TokenRefused) as refusal:
        redeem(token, **changes)  # type: ignore[arg-type]
    assert refusal.value.reason == reason
    assert refusals(reason) == before + 1
    assert list(Call.objects.values_list("state", flat=True)) == state


def test_a_token_stays_good_while_the_secret_key_is_rotated(settings: Settings) -> None:
    """A process restarted with a new key takes what the old one made, until the old key leaves the fallbacks."""
    stream_id, old = uuid4(), settings.SECRET_KEY
    token = token_for(stream_id)
    settings.SECRET_KEY = "a-new-secret-key-" + "1" * 40
    assert stream_id_of(token) is None
    settings.SECRET_KEY_FALLBACKS = ["an-even-older-key-" + "2" * 40, old]
    assert stream_id_of(token) == stream_id
    fresh = token_for(stream_id)
    assert fresh != token
    settings.SECRET_KEY_FALLBACKS = []
    assert (stream_id_of(fresh), stream_id_of(token)) == (stream_id, None)


def test_a_token_names_its_stream_and_is_the_same_each_time() -> None:
    stream_id = uuid4()
    token = token_for(stream_id)
    assert token == token_for(stream_id)
    assert stream_id_of(token) == stream_id
    assert len(token) < 200


def test_every_changed_character_spoils_a_token() -> None:
    token = token_for(uuid4())
    for place, sign in enumerate(token):
        other = "A" if sign != "A" else "B"
        assert stream_id_of(token[:place] + other + token[place + 1 :]) is None


@given(st.text(max_size=100))
def test_no_text_that_is_not_ours_is_a_token(text: str) -> None:
    assert stream_id_of(text) is None


@pytest.mark.parametrize(
    "spoil", [str.lower, lambda t: t + "=", lambda t: t + "\n", lambda t: t[:-1], lambda t: "é" * 64]
)
def test_other_spellings_of_a_token_are_refused(spoil: object) -> None:
    assert callable(spoil)
    assert stream_id_of(spoil(token_for(uuid4()))) is None


def test_a_token_of_another_secret_key_is_refused(settings: Settings) -> None:
    token = token_for(uuid4())
    settings.SECRET_KEY = "another-key-" + "1" * 40
    assert stream_id_of(token) is None


@pytest.mark.django_db
def test_a_token_connects_its_call(call: Call, stream: MediaStream) -> None:
    redeemed = redeem(token_for(stream.id))
    assert redeemed == RedeemedStream(stream_id=stream.id, call_id=call.id)
    call.refresh_from_db()
    stream.refresh_from_db()
    assert call.state == CallState.CONNECTED
    assert call.connected_at is not None
    assert call.lease_expires_at is not None
    assert (stream.stream_sid, stream.used_at) == (STREAM_SID, call.connected_at)


@pytest.mark.django_db
def test_a_token_is_used_once(stream: MediaStream) -> None:
    redeem(token_for(stream.id))
    refused("used", token_for(stream.id))


@pytest.mark.django_db
def test_a_token_holds_for_a_minute(line: PhoneNumber) -> None:
    with time_machine.travel(dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), tick=False) as clock:
        call = open_call(a_ring())
        token = token_for(MediaStream.objects.get(call=call).id)
        clock.shift(61)
        refused("expired", token)
        clock.shift(-2)
        assert redeem(token).call_id == call.id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("other_call", {"call_sid": "CA" + "9" * 32}),
        ("other_call", {"call_sid": ""}),
        ("other_account", {"account_sid": "AC" + "b" * 32}),
        ("other_account", {"account_sid": ""}),
        ("other_hints", {"hints": {"callSid": "CA" + "9" * 32}}),
        ("other_hints", {"hints": {"from": "+15550001111"}}),
        ("other_hints", {"hints": {"callId": str(uuid4())}}),
        ("other_hints", {"hints": {"orgId": str(uuid4())}}),
        ("other_hints", {"hints": {"orgId": "charlies"}}),
    ],
)
def test_a_token_serves_no_other_call(
    stream: MediaStream, strangers_line: PhoneNumber, reason: str, changes: dict[str, object]
) -> None:
    refused(reason, token_for(stream.id), **changes)


@pytest.mark.django_db
def test_a_token_of_one_call_does_not_open_another_one(stream: MediaStream, strangers_line: PhoneNumber) -> None:
    other = open_call(a_ring(call_sid=new_call_sid(), dialed=strangers_line.number))
    refused("other_call", token_for(stream.id), call_sid=other.carrier_sid)
    refused("other_hints", token_for(stream.id), hints={"orgId": str(strangers_line.organization_id)})


@pytest.mark.django_db
def test_true_hints_are_welcome(stream: MediaStream) -> None:
    organization = Organization.objects.get()
    hints = {"orgId": organization.slug, "callSid": CALL_SID, "from": CALLER.replace("+", " "), "other": "x"}
    redeem(token_for(stream.id), hints=hints | {"callId": str(stream.call_id)})


@pytest.mark.django_db
def test_a_forged_token_is_refused(stream: MediaStream) -> None:
    refused("forged", "")
    refused("forged", token_for(stream.id)[:-1] + "!")


@pytest.mark.django_db
def test_a_token_of_a_stream_that_is_gone_is_refused(stream: MediaStream) -> None:
    token = token_for(stream.id)
    stream.delete()
    refused("unknown", token)


@pytest.mark.django_db
def test_a_call_that_is_over_is_not_connected_and_its_token_not_used(call: Call, stream: MediaStream) -> None:
    finish_call(call.id, reason=EndReason.CALLER_HUNG_UP)
    refused("call_over", token_for(stream.id))
    stream.refresh_from_db()
    assert stream.used_at is None


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_exactly_one_gets_the_call(stream: MediaStream) -> None:
    token = token_for(stream.id)
    outcomes: list[str] = []
    start = threading.Barrier(20)

    def race() -> None:
        start.wait()
        try:
            redeem(token)
            outcomes.append("redeemed")
        except TokenRefused as refusal:
            outcomes.append(refusal.reason)
        finally:
            connection.close()

    racers = [threading.Thread(target=race) for _ in range(20)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcomes) == ["redeemed"] + ["used"] * 19
