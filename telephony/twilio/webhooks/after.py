"""`POST /twiml/after`: the media stream is over. Hang up, hand over, or fall back, as the database says."""

from __future__ import annotations

from django.http import HttpResponse

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from telephony.twilio import twiml
from telephony.twilio.models import Step
from telephony.twilio.phrases import Phrase, phrase
from telephony.twilio.services.follow_ups import NextStep, caller_id_for, follow_up_of
from telephony.twilio.services.statuses import OVER_AT_THE_CARRIER, note_dial_result, note_message

from .endpoint import SignedForm, find_call, twilio_webhook
from .voice import apologize, language_of, refuse


@twilio_webhook(without_database=apologize)
def after(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    if call.end_reason == EndReason.LINE_FULL:
        return refuse(call)
    return say_next(call, follow_up_of(call, is_caller_gone=form.text("CallStatus") in OVER_AT_THE_CARRIER))


def say_next(call: Call, next_step: NextStep) -> HttpResponse:
    """The decision as TwiML."""
    language = language_of(call)
    apology = phrase(Phrase.APOLOGY, language)
    match next_step:
        case NextStep(Step.DIAL | Step.APOLOGIZE_AND_DIAL as step, target) if target is not None:
            sentences = (apology, phrase(Phrase.CONNECTING, language)) if step is Step.APOLOGIZE_AND_DIAL else ()
            return twiml.dial(target.number, *sentences, caller_id=caller_id_for(call), language=language)
        case NextStep(Step.TAKE_MESSAGE):
            return take_message(phrase(Phrase.NOBODY_THERE, language), language=language)
        case NextStep(Step.APOLOGIZE_AND_TAKE_MESSAGE):
            return take_message(apology, language=language)
        case _:
            return twiml.hang_up()


def take_message(why: str, *, language: str) -> HttpResponse:
    return twiml.take_message(why, phrase(Phrase.LEAVE_MESSAGE, language), language=language)


@twilio_webhook(without_database=apologize)
def after_dial(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    # A person's mailbox or a call that was cut before both could hear each other is no talk.
    status = "not-bridged" if form.text("DialBridged") == "false" else form.text("DialCallStatus")
    dial_sid = form.text("DialCallSid")
    if note_dial_result(call, dial_sid=dial_sid, status=status, duration_s=form.number("DialCallDuration")):
        return twiml.hang_up()
    language = language_of(call)
    return take_message(phrase(Phrase.NOBODY_THERE, language), language=language)


@twilio_webhook(without_database=apologize)
def after_message(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    note_message(call, recording_sid=form.text("RecordingSid"), duration_s=form.number("RecordingDuration"))
    language = language_of(call)
    return twiml.hang_up(phrase(Phrase.THANKS, language), language=language)
