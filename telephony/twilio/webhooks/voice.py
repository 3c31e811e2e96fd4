"""`POST /twiml/start`: a call comes in. It is connected to an agent, or declined politely with the reason."""

from __future__ import annotations

from django.http import HttpResponse

from agents.hours.queries import opening_hours_sentence
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from telephony.twilio import twiml
from telephony.twilio.phrases import Phrase, phrase, spoken_language
from telephony.twilio.services.admission import OtherCall, Ring, open_call
from telephony.twilio.transfers.documents import language_of
from telephony.twilio.voicemail.offering import NOBODY_ANSWERS, may_leave_message, take_message

from .endpoint import SignedForm, twilio_webhook

LONGEST_CALL_TOKEN = 4000

REFUSALS = {
    EndReason.UNKNOWN_NUMBER: Phrase.UNKNOWN_NUMBER,
    EndReason.NUMBER_SWITCHED_OFF: Phrase.UNKNOWN_NUMBER,
    EndReason.AGENT_PAUSED: Phrase.PAUSED,
    EndReason.AGENT_NOT_PUBLISHED: Phrase.PAUSED,
    EndReason.NO_AGENT: Phrase.PAUSED,
    EndReason.CLOSED_HOURS: Phrase.CLOSED,
    EndReason.LINE_FULL: Phrase.FULL,
}


def apologize() -> HttpResponse:
    return twiml.hang_up(phrase(Phrase.APOLOGY, "en"), phrase(Phrase.PAUSED, "en"))


@twilio_webhook(without_database=apologize)
def start(form: SignedForm) -> HttpResponse:
    ring = Ring(
        call_sid=form.call_sid,
        account_sid=form.text("AccountSid"),
        caller=form.text("From"),
        dialed=form.text("To"),
        org_id=form.query.get("orgId", ""),
        call_token=form.text("CallToken", LONGEST_CALL_TOKEN),
    )
    try:
        call = open_call(ring)
    except OtherCall:
        return HttpResponse(status=403)
    stream = call.media_streams.filter(is_return=False).first()
    return twiml.connect(stream) if stream is not None else refuse(call)


def refuse(call: Call) -> HttpResponse:
    """Say why the call is not taken, as it was when it came: a repeated request hears the same."""
    language = language_of(call)
    sentence = refusal_sentence(call)
    if call.end_reason not in NOBODY_ANSWERS or not may_leave_message(call):
        return twiml.hang_up(sentence, language=language)
    if REFUSALS.get(EndReason(call.end_reason), Phrase.PAUSED) is Phrase.PAUSED:
        sentence = phrase(Phrase.NOBODY_THERE, language)
    return take_message(call, sentence, language=language)


def refusal_sentence(call: Call) -> str:
    """Why the call is not taken."""
    language = language_of(call)
    reason = REFUSALS.get(EndReason(call.end_reason), Phrase.PAUSED)
    if reason is Phrase.CLOSED and call.organization is not None:
        if call.organization.closed_message:
            return call.organization.closed_message
        if spoken_language(language) == "en":
            return opening_hours_sentence(call.organization, call.created_at)
    return phrase(reason, language)
