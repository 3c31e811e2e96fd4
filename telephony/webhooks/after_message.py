"""`POST /twiml/after-message`: the caller left a message. Thank and hang up."""

from __future__ import annotations

from django.http import HttpResponse

from telephony import twiml
from telephony.phrases import Phrase, phrase
from telephony.services import note_message
from telephony.webhooks.door import SignedForm, find_call, twilio_door
from telephony.webhooks.voice import apologise, language_of


@twilio_door(without_database=apologise)
def after_message(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    note_message(call, recording_sid=form.text("RecordingSid"), duration_s=form.number("RecordingDuration"))
    language = language_of(call)
    return twiml.hang_up(phrase(Phrase.THANKS, language), language=language)
