"""`POST /twiml/after-dial`: the person was rung. Hang up if they talked, else take a message."""

from __future__ import annotations

from django.http import HttpResponse

from telephony import twiml
from telephony.phrases import Phrase, phrase
from telephony.services import note_dial_result
from telephony.webhooks.after import take_message
from telephony.webhooks.door import SignedForm, find_call, twilio_door
from telephony.webhooks.voice import apologise, language_of


@twilio_door(without_database=apologise)
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
