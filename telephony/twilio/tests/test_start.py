"""`POST /twiml/start`: one call per CallSid, admitted, or declined politely with the reason."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.hours.models import OpeningHours, SpecialDay
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState
from sessions.calls.services import finish_call
from telephony.twilio.models import MediaStream, PhoneNumber
from telephony.twilio.tokens import stream_id_of
from voiceapp.core.serving import serving

from .conftest import ACCOUNT_SID, CALL_SID, NUMBER, PUBLIC, Twilio, new_call_sid, verbs, xml

pytestmark = pytest.mark.django_db


def test_a_call_to_a_known_number_is_bridged_with_ids_and_a_token(twilio: Twilio, line: PhoneNumber) -> None:
    response = twilio.post("/twiml/start")

    connect = xml(response)[0]
    call = Call.objects.get()
    stream = MediaStream.objects.get()
    assert connect.tag == "Connect"
    assert connect.attrib == {"action": f"{PUBLIC}/twiml/after", "method": "POST"}
    noun = connect[0]
    assert noun.attrib["url"] == "wss://voice.example.com/ws/twilio"
    assert noun.attrib["statusCallback"] == f"{PUBLIC}/twilio/stream-status"
    parameters = {each.attrib["name"]: each.attrib["value"] for each in noun}
    assert parameters["callId"] == str(call.id)
    assert parameters["orgId"] == str(line.organization_id)
    assert stream_id_of(parameters["token"]) == stream.id
    assert all(len(name) + len(value) < 200 for name, value in parameters.items())
    assert (call.state, call.carrier_sid, stream.account_sid) == (CallState.RINGING, CALL_SID, ACCOUNT_SID)
    assert call.agent_version is not None


def test_an_unassigned_number_is_found_by_the_organization_that_the_address_names(
    twilio: Twilio, line: PhoneNumber
) -> None:
    for org_id in (str(line.organization_id), line.organization.slug):
        response = twilio.post(
            f"/twiml/start?orgId={org_id}", To="+15550001111", CallSid=new_call_sid(), From="anonymous"
        )
        assert verbs(response) == ["Connect"]


def test_a_number_and_an_address_that_disagree_are_refused_politely(
    twilio: Twilio, line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    response = twilio.post(f"/twiml/start?orgId={strangers_line.organization_id}")
    assert verbs(response) == ["Say", "Hangup"]
    assert Call.objects.get().end_reason == EndReason.UNKNOWN_NUMBER
    assert twilio.post(f"/twiml/start?orgId={strangers_line.organization_id}").content == response.content


@pytest.mark.parametrize("org_id", ["", "nobody", "00000000-0000-0000-0000-000000000000", "%00", "%F0%9F%8D%95"])
def test_an_unknown_number_is_refused_politely(twilio: Twilio, db: None, org_id: str) -> None:
    response = twilio.post(f"/twiml/start?orgId={org_id}")
    assert verbs(response) == ["Say", "Hangup"]
    call = Call.objects.get()
    assert (call.state, call.end_reason, call.organization) == (CallState.MISSED, EndReason.UNKNOWN_NUMBER, None)


@pytest.mark.parametrize("names_organization", [False, True])
def test_a_number_that_is_switched_off_is_not_in_service(
    twilio: Twilio, line: PhoneNumber, names_organization: bool
) -> None:
    line.is_active = False
    line.save()
    address = f"/twiml/start?orgId={line.organization_id}" if names_organization else "/twiml/start"
    response = twilio.post(address)
    assert verbs(response) == ["Say", "Hangup"]
    assert xml(response)[0].text == "This number is not in service. Goodbye."
    missed_because(EndReason.NUMBER_SWITCHED_OFF)
    assert Call.objects.get().organization == line.organization


def missed_because(reason: EndReason) -> None:
    call = Call.objects.latest("created_at")
    assert (call.state, call.end_reason) == (CallState.MISSED, reason)
    assert call.ended_at is not None
    assert not MediaStream.objects.filter(call=call).exists()


def test_a_paused_agent_lets_the_line_say_so(twilio: Twilio, line: PhoneNumber) -> None:
    Agent.objects.update(is_paused=True)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    missed_because(EndReason.AGENT_PAUSED)


@pytest.mark.parametrize("is_paused", [False, True])
def test_an_agent_that_was_never_published_takes_no_call(twilio: Twilio, line: PhoneNumber, is_paused: bool) -> None:
    Agent.objects.update(published_version=None, is_paused=is_paused)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    missed_because(EndReason.AGENT_NOT_PUBLISHED)


def test_a_line_without_an_agent_takes_no_call(twilio: Twilio, line: PhoneNumber) -> None:
    Agent.objects.update(is_default=False)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    missed_because(EndReason.NO_AGENT)


def test_outside_the_hours_the_caller_hears_when_it_opens(twilio: Twilio, line: PhoneNumber) -> None:
    SpecialDay.objects.create(organization=line.organization, date=dt.datetime.now(dt.UTC).date())
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).weekday()
    OpeningHours.objects.create(
        organization=line.organization, weekday=tomorrow, opens_at=dt.time(11), closes_at=dt.time(22)
    )
    response = twilio.post("/twiml/start")
    assert xml(response)[0].text == "We are closed now and open again tomorrow at 11 am."
    missed_because(EndReason.CLOSED_HOURS)


def test_the_organizations_own_words_are_said_when_it_is_closed(twilio: Twilio, line: PhoneNumber) -> None:
    SpecialDay.objects.create(organization=line.organization, date=dt.datetime.now(dt.UTC).date())
    line.organization.closed_message = 'Closed </Say><Dial>+979</Dial> "now"\x0b\x1b & tomorrow'
    line.organization.save()
    response = twilio.post("/twiml/start")
    assert verbs(response) == ["Say", "Hangup"]
    assert xml(response)[0].text == 'Closed </Say><Dial>+979</Dial> "now"   & tomorrow'


def test_the_line_speaks_the_agents_language(twilio: Twilio, line: PhoneNumber) -> None:
    agent = Agent.objects.get()
    agent.language = "de"
    agent.save()
    publish_agent(agent, by="alice")
    Agent.objects.update(is_paused=True)
    say = xml(twilio.post("/twiml/start"))[0]
    assert say.attrib["language"] == "de-DE"
    assert "Auf Wiederhören" in (say.text or "")


def test_the_organizations_last_line_is_not_taken_twice(twilio: Twilio, line: PhoneNumber) -> None:
    line.organization.max_live_calls = 1
    line.organization.save()
    assert verbs(twilio.post("/twiml/start")) == ["Connect"]
    assert verbs(twilio.post("/twiml/start", CallSid=new_call_sid(), From="+4917600000001")) == ["Say", "Hangup"]
    missed_because(EndReason.LINE_FULL)


def test_a_call_in_a_room_takes_no_line(twilio: Twilio, line: PhoneNumber, settings: Settings) -> None:
    settings.MAX_LIVE_CALLS = line.organization.max_live_calls = 1
    line.organization.save()
    Call.objects.create(organization=line.organization, kind="room", room_name="harbour", state="connected")
    assert verbs(twilio.post("/twiml/start")) == ["Connect"]


def test_a_line_is_free_again_when_its_call_has_ended(twilio: Twilio, line: PhoneNumber) -> None:
    line.organization.max_live_calls = 1
    line.organization.save()
    twilio.post("/twiml/start")
    finish_call(Call.objects.get().id, reason=EndReason.CALLER_HUNG_UP)
    assert verbs(twilio.post("/twiml/start", CallSid=new_call_sid())) == ["Connect"]


def test_the_servers_last_line_is_not_taken_twice(
    twilio: Twilio, line: PhoneNumber, strangers_line: PhoneNumber, settings: Settings
) -> None:
    settings.MAX_LIVE_CALLS = 1
    twilio.post("/twiml/start")
    response = twilio.post("/twiml/start", CallSid=new_call_sid(), From="+4917600000001", To=strangers_line.number)
    assert verbs(response) == ["Say", "Hangup"]
    missed_because(EndReason.LINE_FULL)


def test_calls_of_other_processes_leave_this_one_its_places(
    twilio: Twilio, line: PhoneNumber, settings: Settings
) -> None:
    settings.MAX_LIVE_CALLS = 1
    Call.objects.create(organization=line.organization, process="another", state=CallState.CONNECTED)
    assert verbs(twilio.post("/twiml/start")) == ["Connect"]


def test_calls_of_all_processes_count_for_the_organization(twilio: Twilio, line: PhoneNumber) -> None:
    line.organization.max_live_calls = 1
    line.organization.save()
    Call.objects.create(organization=line.organization, process="another", state=CallState.CONNECTED)
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    missed_because(EndReason.LINE_FULL)


def test_one_caller_has_at_most_two_calls_at_once(twilio: Twilio, line: PhoneNumber) -> None:
    answers = [verbs(twilio.post("/twiml/start", CallSid=new_call_sid()))[0] for _ in range(3)]
    assert answers == ["Connect", "Connect", "Say"]
    missed_because(EndReason.LINE_FULL)


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "client:kiosk", "sip:bob@example.com"])
def test_callers_who_hide_their_number_are_not_one_caller(twilio: Twilio, line: PhoneNumber, caller: str) -> None:
    answers = [verbs(twilio.post("/twiml/start", CallSid=new_call_sid(), From=caller))[0] for _ in range(3)]
    assert answers == ["Connect"] * 3


def test_a_process_that_is_stopping_takes_no_call(twilio: Twilio, line: PhoneNumber) -> None:
    serving.is_draining = True
    assert verbs(twilio.post("/twiml/start")) == ["Say", "Hangup"]
    missed_because(EndReason.LINE_FULL)
    assert CallEvent.objects.get(kind="ringing").detail == {"refused_for": "draining"}


def test_the_same_request_again_gets_the_same_twiml(twilio: Twilio, line: PhoneNumber) -> None:
    first = twilio.post("/twiml/start").content
    assert twilio.post("/twiml/start").content == first
    assert twilio.post(f"/twiml/start?orgId={line.organization_id}").content == first
    assert (Call.objects.count(), MediaStream.objects.count()) == (1, 1)


def test_a_refusal_said_again_is_the_same_though_the_reason_has_passed(twilio: Twilio, line: PhoneNumber) -> None:
    Agent.objects.update(is_paused=True)
    first = twilio.post("/twiml/start").content
    Agent.objects.update(is_paused=False)
    assert twilio.post("/twiml/start").content == first


def test_a_call_of_another_organization_is_not_shown(
    twilio: Twilio, line: PhoneNumber, strangers_line: PhoneNumber
) -> None:
    twilio.post("/twiml/start")
    assert twilio.post(f"/twiml/start?orgId={strangers_line.organization_id}").status_code == 403
    assert twilio.post("/twiml/start?orgId=nobody").status_code == 403
    assert twilio.post("/twiml/start", To=strangers_line.number).status_code == 403


def test_what_a_caller_is_called_never_becomes_a_verb(twilio: Twilio, line: PhoneNumber) -> None:
    response = twilio.post(
        "/twiml/start", CallerName="</Say><Dial>+97912345</Dial>", From="<Hangup/>\x00\x1b", To=NUMBER
    )
    assert verbs(response) == ["Connect"]
    assert Call.objects.get().caller_number == "<Hangup/>"
