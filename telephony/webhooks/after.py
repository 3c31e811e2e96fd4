"""`POST /twiml/after`: the media stream is over. Hang up, hand over, or fall back, as the database says."""

from __future__ import annotations

from django.http import HttpResponse

from sessions.models import Call
from telephony import twiml
from telephony.phrases import Phrase, phrase
from telephony.services import NextStep, Step, follow_up_of
from telephony.services.caller_ids import caller_id_for
from telephony.services.statuses import OVER_AT_THE_CARRIER
from telephony.webhooks.door import SignedForm, find_call, twilio_door
from telephony.webhooks.voice import apologise, language_of


@twilio_door(without_database=apologise)
def after(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    return say_next(call, follow_up_of(call, is_caller_gone=form.text("CallStatus") in OVER_AT_THE_CARRIER))


def say_next(call: Call, next_step: NextStep) -> HttpResponse:
    """The decision as TwiML."""
    language = language_of(call)
    apology = phrase(Phrase.APOLOGY, language)
    match next_step:
        case NextStep(Step.DIAL | Step.APOLOGISE_AND_DIAL as step, target) if target is not None:
            sentences = (apology, phrase(Phrase.CONNECTING, language)) if step is Step.APOLOGISE_AND_DIAL else ()
            return twiml.dial(target.number, *sentences, caller_id=caller_id_for(call), language=language)
        case NextStep(Step.TAKE_MESSAGE):
            return take_message(phrase(Phrase.NOBODY_THERE, language), language=language)
        case NextStep(Step.APOLOGISE_AND_TAKE_MESSAGE):
            return take_message(apology, language=language)
        case _:
            return twiml.hang_up()


def take_message(why: str, *, language: str) -> HttpResponse:
    return twiml.take_message(why, phrase(Phrase.LEAVE_MESSAGE, language), language=language)
