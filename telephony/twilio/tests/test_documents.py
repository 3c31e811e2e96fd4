"""Every document that we answer with is one that Twilio takes without a warning, in every language of an agent."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from agents.configuration.models import AgentVersion
from agents.transfers.models import TransferTarget
from telephony.twilio import twiml
from telephony.twilio.models import FollowUp, MediaStream, PhoneNumber
from telephony.twilio.services.follow_ups import set_follow_up
from voiceapp.providers.twilio.client import DIAL_DURATION_S, MAX_PARAMETER_LENGTH, RECORDING_S, RING_S
from voiceapp.simulators.twilio.attributes import RULES
from voiceapp.simulators.twilio.twiml import Document, parse

from .conftest import NUMBER, PUBLIC, Twilio

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "en-US", "de-CH", "fr", "it-IT", "es-419", "pt-BR", "zh-Hant", "ja", "English", ""]


def read(response: HttpResponse) -> Document:
    document = parse(response.content.decode(), url=PUBLIC)
    assert document.warnings == ()
    return document


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_is_bridged_handed_over_and_recorded_without_a_warning(
    language: str, twilio: Twilio, line: PhoneNumber
) -> None:
    AgentVersion.objects.update(language=language)
    person = TransferTarget.objects.create(
        organization=line.organization, slug="desk", name="Desk", number="+493055555555", is_fallback=True
    )
    (connect,) = read(twilio.post("/twiml/start")).verbs
    (stream,) = connect.nouns
    for parameter in stream.nouns:
        assert len(parameter.get("name") + parameter.get("value")) < MAX_PARAMETER_LENGTH
    set_follow_up(MediaStream.objects.get().id, FollowUp.FALL_BACK)
    *sayings, dial = read(twilio.post("/twiml/after")).verbs
    assert [each.name for each in sayings] == ["Say", "Say"]
    assert (dial.get("callerId"), dial.nouns[0].text) == (NUMBER, person.number)
    read(twilio.post("/twiml/after-dial", DialCallStatus="busy"))
    read(twilio.post("/twiml/after-message", RecordingSid="RE1", RecordingDuration="3"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_said_without_a_warning(language: str, twilio: Twilio, line: PhoneNumber) -> None:
    AgentVersion.objects.update(language=language)
    line.organization.agents.update(is_paused=True)
    read(twilio.post("/twiml/start"))
    read(twiml.hang_up("a <b> & c", language=language))


def test_product_and_simulator_have_the_same_limits() -> None:
    for verb, attribute, (lowest, highest) in (
        ("Dial", "timeout", RING_S),
        ("Dial", "timeLimit", DIAL_DURATION_S),
        ("Record", "maxLength", RECORDING_S),
    ):
        rule = RULES[verb][attribute]
        assert rule.is_valid(str(lowest))
        assert rule.is_valid(str(highest))
        assert not rule.is_valid(str(lowest - 1))
        assert not rule.is_valid(str(highest + 1))
    assert RING_S[0] <= twiml.RING_FOR_S <= RING_S[1]
    assert DIAL_DURATION_S[0] <= twiml.LONGEST_TRANSFER_S <= DIAL_DURATION_S[1]
    assert RECORDING_S[0] <= twiml.LONGEST_MESSAGE_S <= RECORDING_S[1]


@pytest.mark.parametrize(
    ("number", "caller_id"),
    [("030 5555555", NUMBER), ("sip:a@b", NUMBER), ("+493055555555", "sip:a@b"), ("+493055555555", "client:browser"),
     ("+493055555555", "anonymous"), ("+266696687", NUMBER)],
)  # fmt: skip
def test_what_twilio_would_refuse_to_dial_is_never_written(number: str, caller_id: str) -> None:
    with pytest.raises(ValidationError):
        twiml.dial(number, caller_id=caller_id, language="en")
