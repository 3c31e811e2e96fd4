"""After a person was rung, and after a message was left."""

from __future__ import annotations

import pytest

from sessions.calls.models import Call
from telephony.twilio.models import PhoneNumber

from .conftest import Twilio, verbs, xml

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["completed", "answered"])
def test_when_they_talked_the_call_is_over(twilio: Twilio, call: Call, status: str) -> None:
    response = twilio.post("/twiml/after-dial", DialCallStatus=status, DialBridged="true", DialCallDuration="31")
    assert verbs(response) == ["Hangup"]
    assert call.events.get(kind="transfer_over").detail == {"status": status, "duration_s": 31}


@pytest.mark.parametrize(
    ("status", "bridged"),
    [("busy", ""), ("no-answer", ""), ("failed", "false"), ("canceled", ""), ("completed", "false"), ("", "")],
)
def test_after_an_unanswered_transfer_a_message_is_taken(twilio: Twilio, call: Call, status: str, bridged: str) -> None:
    response = twilio.post("/twiml/after-dial", DialCallStatus=status, DialBridged=bridged)
    assert verbs(response) == ["Say", "Say", "Record", "Hangup"]


def test_the_first_word_on_a_dial_stands(twilio: Twilio, call: Call) -> None:
    first = twilio.post("/twiml/after-dial", DialCallStatus="no-answer").content
    assert twilio.post("/twiml/after-dial", DialCallStatus="completed").content == first
    assert call.events.filter(kind="transfer_over").count() == 1


def test_each_dial_of_a_call_has_a_result_of_its_own(twilio: Twilio, call: Call) -> None:
    first, second = ("CA" + digit * 32 for digit in "56")
    for _ in range(2):
        assert verbs(twilio.post("/twiml/after-dial", DialCallSid=first, DialCallStatus="no-answer"))[0] == "Say"
        assert verbs(twilio.post("/twiml/after-dial", DialCallSid=second, DialCallStatus="completed")) == ["Hangup"]
    assert call.events.filter(kind="transfer_over").count() == 2


def test_each_message_of_a_call_is_kept_once(twilio: Twilio, call: Call) -> None:
    sids = ["RE" + digit * 32 for digit in "1212"]
    for sid in sids:
        twilio.post("/twiml/after-message", RecordingSid=sid, RecordingDuration="9")
    kept = [event.detail["recording_sid"] for event in call.events.filter(kind="message_left").order_by("id")]
    assert kept == sids[:2]


def test_a_message_is_kept_once_and_thanked_for(twilio: Twilio, call: Call) -> None:
    sid = "RE" + "4" * 32
    for _ in range(2):
        response = twilio.post("/twiml/after-message", RecordingSid=sid, RecordingDuration="9")
        assert verbs(response) == ["Say", "Hangup"]
        assert (xml(response)[0].text or "").startswith("Thank you")
    assert call.events.get(kind="message_left").detail == {"recording_sid": sid, "duration_s": 9}


@pytest.mark.parametrize("webhook", ["after-dial", "after-message"])
def test_a_call_of_another_organization_is_not_found(
    twilio: Twilio, call: Call, strangers_line: PhoneNumber, webhook: str
) -> None:
    assert twilio.post(f"/twiml/{webhook}?orgId={strangers_line.organization_id}").status_code == 404
    assert twilio.post(f"/twiml/{webhook}", CallSid="CA" + "9" * 32).status_code == 404
