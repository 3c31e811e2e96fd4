"""Who may leave a message, and what the caller hears."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from agents.hours.models import SpecialDay
from agents.organizations.models import Organization, VoicemailUse
from sessions.calls.models import Call, CallState
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up
from telephony.twilio.tests.conftest import CALL_SID, Twilio, verbs, xml
from telephony.twilio.voicemail.models import Voicemail
from voiceapp.simulators.twilio.tests.running import RunningTwilio

from .conftest import jobs, keep, only_voicemail, report, spoken

pytestmark = pytest.mark.django_db


def choose(line: PhoneNumber, use: VoicemailUse, **fields: object) -> None:
    Organization.objects.filter(pk=line.organization_id).update(voicemail=use, **fields)


def close(line: PhoneNumber) -> None:
    for days in (-1, 0, 1):
        SpecialDay.objects.create(organization=line.organization, date=timezone.now().date() + dt.timedelta(days=days))


def sentences(twilio: Twilio, path: str, **fields: str) -> list[str]:
    return [verb.text or "" for verb in xml(twilio.post(path, **fields)) if verb.tag == "Say"]


def test_outside_the_opening_hours_a_message_is_taken_if_the_organization_chose_so(
    twilio: Twilio, line: PhoneNumber, carrier: RunningTwilio
) -> None:
    choose(line, VoicemailUse.ALWAYS)
    close(line)
    for _ in range(2):
        assert verbs(twilio.post("/twiml/start")) == ["Say", "Say", "Record", "Hangup"]
    call = Call.objects.get(carrier_sid=CALL_SID)
    assert (call.state, call.end_reason) == (CallState.MISSED, "closed_hours")
    assert len(jobs("look_for")) == 1
    report(twilio, keep(carrier, spoken()))
    assert only_voicemail().why == Voicemail.Why.CLOSED


def test_the_closed_message_and_the_greeting_are_the_organizations(twilio: Twilio, line: PhoneNumber) -> None:
    choose(line, VoicemailUse.ALWAYS, closed_message="We sleep.", voicemail_greeting="This is recorded. Speak now.")
    close(line)
    assert sentences(twilio, "/twiml/start") == ["We sleep.", "This is recorded. Speak now."]


def test_by_default_a_closed_line_takes_no_message(twilio: Twilio, line: PhoneNumber) -> None:
    close(line)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    assert jobs("look_for") == []


@pytest.mark.parametrize("change", [{"is_paused": True}, {"published_version": None}, {"is_default": False}])
def test_without_an_agent_a_message_is_taken_too(
    twilio: Twilio, line: PhoneNumber, carrier: RunningTwilio, change: dict[str, object]
) -> None:
    choose(line, VoicemailUse.ALWAYS)
    line.organization.agents.update(**change)
    assert sentences(twilio, "/twiml/start")[0] == "I am sorry, nobody can come to the phone right now."
    assert "Record" in verbs(twilio.post("/twiml/start"))
    report(twilio, keep(carrier, spoken()))
    assert only_voicemail().why == Voicemail.Why.NO_AGENT


def test_a_full_line_takes_no_message(twilio: Twilio, line: PhoneNumber) -> None:
    choose(line, VoicemailUse.ALWAYS, max_live_calls=0)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]


def test_an_unknown_number_takes_no_message(twilio: Twilio, line: PhoneNumber) -> None:
    choose(line, VoicemailUse.ALWAYS)
    assert verbs(twilio.post("/twiml/start", To="+493099999999")) == ["Say", "Hangup"]


@pytest.mark.parametrize("use", VoicemailUse)
def test_when_the_provider_fails_the_caller_hears_so_and_may_leave_a_message(
    twilio: Twilio, line: PhoneNumber, stream: MediaStream, carrier: RunningTwilio, use: VoicemailUse
) -> None:
    choose(line, use)
    set_follow_up(stream.id, FollowUp.FALL_BACK)
    heard = verbs(twilio.post("/twiml/after", CallStatus="in-progress"))
    assert heard == (["Say", "Hangup"] if use is VoicemailUse.OFF else ["Say", "Say", "Record", "Hangup"])
    if use is not VoicemailUse.OFF:
        report(twilio, keep(carrier, spoken()))
        assert only_voicemail().why == Voicemail.Why.PROVIDER_FAILED


@pytest.mark.parametrize(("language", "word"), [("de", "Ton"), ("es-MX", "señal"), ("fr", "signal"), ("pl", "tone")])
def test_the_greeting_is_in_the_agents_language(
    twilio: Twilio, line: PhoneNumber, call: Call, language: str, word: str
) -> None:
    assert call.agent_version is not None
    type(call.agent_version).objects.filter(pk=call.agent_version.pk).update(language=language)
    assert word in sentences(twilio, "/twiml/after-dial", DialCallStatus="busy")[-1]


def test_twilio_reports_the_recording_to_us(twilio: Twilio, call: Call) -> None:
    record = xml(twilio.post("/twiml/after-dial", DialCallStatus="busy")).find("Record")
    assert record is not None
    assert record.attrib["recordingStatusCallback"].endswith("/twilio/recording-status")
    assert record.attrib["recordingStatusCallbackEvent"] == "completed absent"
