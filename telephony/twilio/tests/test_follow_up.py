"""`POST /twiml/after`: what follows a media stream is decided once, from the database."""

from __future__ import annotations

import datetime as dt

import pytest

from agents.hours.models import SpecialDay, TransferHours
from agents.transfers.models import TransferTarget
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.calls.services import finish_call
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up

from .conftest import CALL_SID, NUMBER, PUBLIC, Twilio, verbs, xml

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(line: PhoneNumber) -> TransferTarget:
    return TransferTarget.objects.create(
        organization=line.organization, slug="front-desk", name="Front desk", number="+493055555555", is_fallback=True
    )


def test_the_farewell_was_heard_so_the_call_is_hung_up(twilio: Twilio, stream: MediaStream) -> None:
    set_follow_up(stream.id, FollowUp.HANG_UP)
    assert verbs(twilio.post("/twiml/after")) == ["Hangup"]


def test_the_caller_is_handed_over_to_the_configured_number(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    set_follow_up(stream.id, FollowUp.HAND_OVER, "front-desk")
    dial = xml(twilio.post("/twiml/after"))[0]
    assert dial.tag == "Dial"
    assert dial[0].text == person.number
    assert dial.attrib["callerId"] == NUMBER
    assert dial.attrib["action"] == f"{PUBLIC}/twiml/after-dial"
    assert int(dial.attrib["timeLimit"]) == 3600
    assert Call.objects.get().transferred_to == "Front desk"


def test_the_first_word_on_what_follows_stands(stream: MediaStream) -> None:
    assert set_follow_up(stream.id, FollowUp.HANG_UP) is True
    assert set_follow_up(stream.id, FollowUp.FALL_BACK) is False
    stream.refresh_from_db()
    assert stream.follow_up == FollowUp.HANG_UP


def test_no_one_is_called_outside_their_hours_and_a_message_is_taken(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    other_day = (dt.datetime.now(dt.UTC).weekday() + 3) % 7
    TransferHours.objects.create(target=person, weekday=other_day, opens_at=dt.time(9), closes_at=dt.time(10))
    set_follow_up(stream.id, FollowUp.HAND_OVER, "front-desk")
    assert verbs(twilio.post("/twiml/after")) == ["Say", "Say", "Record", "Hangup"]


@pytest.mark.parametrize("slug", ["", "nobody", "front-desk-of-charlie"])
def test_a_target_that_is_not_the_organizations_is_never_rung(
    twilio: Twilio, stream: MediaStream, strangers_line: PhoneNumber, slug: str
) -> None:
    TransferTarget.objects.create(
        organization=strangers_line.organization, slug="front-desk-of-charlie", name="C", number="+493055555556"
    )
    set_follow_up(stream.id, FollowUp.HAND_OVER, slug)
    assert "Dial" not in verbs(twilio.post("/twiml/after"))


@pytest.mark.parametrize("number", ["+97912345678", "sip:x", "+499001123456", "", "+4930\x0b"])
def test_a_number_that_may_not_be_rung_is_not_rung(
    twilio: Twilio, stream: MediaStream, person: TransferTarget, number: str
) -> None:
    TransferTarget.objects.update(number=number)
    set_follow_up(stream.id, FollowUp.HAND_OVER, "front-desk")
    assert "Dial" not in verbs(twilio.post("/twiml/after"))


def test_when_the_agent_failed_the_caller_hears_an_apology_and_gets_a_person(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    set_follow_up(stream.id, FollowUp.FALL_BACK)
    assert verbs(twilio.post("/twiml/after")) == ["Say", "Say", "Dial"]


def test_when_the_agent_failed_and_no_one_is_available_a_message_is_taken(twilio: Twilio, stream: MediaStream) -> None:
    set_follow_up(stream.id, FollowUp.FALL_BACK)
    response = twilio.post("/twiml/after")
    assert verbs(response) == ["Say", "Say", "Record", "Hangup"]
    record = xml(response)[2]
    assert record.attrib["action"] == f"{PUBLIC}/twiml/after-message"


def test_a_process_that_died_says_nothing_so_the_line_falls_back_and_ends_the_call(
    twilio: Twilio, stream: MediaStream
) -> None:
    Call.objects.update(state=CallState.CONNECTED)
    assert verbs(twilio.post("/twiml/after", CallStatus="in-progress"))[-2:] == ["Record", "Hangup"]
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.FAILED, EndReason.STREAM_LOST)


def test_a_stream_that_never_came_falls_back(twilio: Twilio, stream: MediaStream, person: TransferTarget) -> None:
    assert verbs(twilio.post("/twiml/after"))[-1] == "Dial"
    assert Call.objects.get().state == CallState.FAILED


def test_a_caller_who_has_hung_up_gets_no_apology(twilio: Twilio, stream: MediaStream) -> None:
    Call.objects.update(state=CallState.CONNECTED)
    finish_call(stream.call_id, reason=EndReason.CALLER_HUNG_UP)
    assert verbs(twilio.post("/twiml/after", CallStatus="completed")) == ["Hangup"]


def test_when_the_carrier_says_that_the_caller_is_gone_nothing_is_recorded(twilio: Twilio, stream: MediaStream) -> None:
    Call.objects.update(state=CallState.CONNECTED)
    assert verbs(twilio.post("/twiml/after", CallStatus="completed")) == ["Hangup"]
    call = Call.objects.get()
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.CALLER_HUNG_UP)


def test_the_same_request_again_gets_the_same_twiml_though_the_world_has_moved(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    set_follow_up(stream.id, FollowUp.FALL_BACK)
    first = twilio.post("/twiml/after").content
    SpecialDay.objects.create(organization=person.organization, date=dt.datetime.now(dt.UTC).date())
    finish_call(stream.call_id, reason=EndReason.PROVIDER_FAILED)
    assert twilio.post("/twiml/after").content == first
    assert Call.objects.get().events.filter(kind="stream_over").count() == 1


def test_a_target_that_was_deleted_meanwhile_becomes_a_message(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    set_follow_up(stream.id, FollowUp.HAND_OVER, "front-desk")
    twilio.post("/twiml/after")
    person.delete()
    assert "Record" in verbs(twilio.post("/twiml/after"))


def test_a_refused_call_is_only_hung_up(twilio: Twilio, line: PhoneNumber) -> None:
    line.is_active = False
    line.save()
    twilio.post("/twiml/start")
    assert verbs(twilio.post("/twiml/after")) == ["Hangup"]


def test_a_call_that_we_do_not_know_is_not_found(twilio: Twilio, call: Call, strangers_line: PhoneNumber) -> None:
    assert twilio.post("/twiml/after", CallSid="CA" + "9" * 32).status_code == 404
    assert twilio.post(f"/twiml/after?orgId={strangers_line.organization_id}").status_code == 404
    assert twilio.post(f"/twiml/after?callId={strangers_line.organization_id}").status_code == 404
    assert (
        twilio.post(f"/twiml/after?orgId={call.organization_id}&callId={call.id}&callSid={CALL_SID}").status_code == 200
    )


def ring_as(twilio: Twilio, line: PhoneNumber, *, caller: str, dialed: str) -> Call:
    """A call by that caller to that address of the organization, whose stream is over: hand it over."""
    twilio.post(f"/twiml/start?orgId={line.organization_id}", From=caller, To=dialed)
    call = Call.objects.get()
    set_follow_up(call.media_streams.get().id, FollowUp.HAND_OVER, "front-desk")
    return call


SIP, CLIENT = "sip:alice@shop.sip.twilio.com", "client:browser_7"


@pytest.mark.parametrize(
    "caller",
    ["+4917612345678", SIP, "sip:+4917612345678@trunk.example.com", CLIENT, "anonymous", "Restricted", "unavailable",
     "", "+266696687", "whatsapp:+4917612345678"],
)  # fmt: skip
@pytest.mark.parametrize("dialed", [NUMBER, "sip:host@alices.sip.twilio.com", "client:host", ""])
def test_a_transfer_shows_a_number_that_twilio_accepts_for_any_caller(
    caller: str, dialed: str, twilio: Twilio, line: PhoneNumber, person: TransferTarget
) -> None:
    ring_as(twilio, line, caller=caller, dialed=dialed)
    dial = xml(twilio.post("/twiml/after", From=caller, To=dialed))[0]
    assert (dial.tag, dial.attrib["callerId"], dial[0].text) == ("Dial", NUMBER, person.number)


@pytest.mark.parametrize("caller", [SIP, CLIENT, "anonymous", "+266696687", "", "whatsapp:+4917612345678"])
def test_without_a_number_to_show_a_message_is_taken_and_the_timeline_says_why(
    caller: str, twilio: Twilio, line: PhoneNumber, person: TransferTarget
) -> None:
    call = ring_as(twilio, line, caller=caller, dialed="sip:host@alices.sip.twilio.com")
    PhoneNumber.objects.update(is_active=False)
    for _ in range(2):
        response = twilio.post("/twiml/after", From=caller, To="sip:host@alices.sip.twilio.com")
        assert verbs(response) == ["Say", "Say", "Record", "Hangup"]
    assert call.events.get(kind="stream_over").detail == {"next": "take_message", "target": "", "why": "no_caller_id"}


def test_without_a_line_of_its_own_the_callers_number_is_shown(
    twilio: Twilio, line: PhoneNumber, person: TransferTarget
) -> None:
    ring_as(twilio, line, caller="+4917612345678", dialed="sip:host@alices.sip.twilio.com")
    PhoneNumber.objects.update(is_active=False)
    dial = xml(twilio.post("/twiml/after", To="sip:host@alices.sip.twilio.com"))[0]
    assert dial.attrib["callerId"] == "+4917612345678"


def test_a_number_that_was_spoiled_after_the_decision_is_not_dialed(
    twilio: Twilio, stream: MediaStream, person: TransferTarget
) -> None:
    set_follow_up(stream.id, FollowUp.HAND_OVER, "front-desk")
    assert verbs(twilio.post("/twiml/after")) == ["Dial"]
    TransferTarget.objects.update(number="sip:x")
    assert verbs(twilio.post("/twiml/after")) == ["Say", "Say", "Record", "Hangup"]
