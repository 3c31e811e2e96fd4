"""`POST /twiml/after`: the media stream is over. Hang up, hand over, or fall back, as the database says."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from telephony.twilio import twiml
from telephony.twilio.models import Step
from telephony.twilio.phrases import Phrase, phrase
from telephony.twilio.services.follow_ups import NextStep, follow_up_of
from telephony.twilio.services.statuses import OVER_AT_THE_CARRIER, note_dial_result, note_message
from telephony.twilio.transfers import cold
from telephony.twilio.transfers.caller_ids import caller_id_for, shown_number
from telephony.twilio.transfers.documents import hold, language_of
from telephony.twilio.transfers.models import Transfer, TransferAttempt
from telephony.twilio.transfers.returning import stream_back
from telephony.twilio.voicemail.offering import take_message
from telephony.twilio.voicemail.services import open_voicemail

from .endpoint import SignedForm, find_call, twilio_webhook
from .voice import apologize, refuse


@twilio_webhook(without_database=apologize)
def after(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    if call.end_reason == EndReason.LINE_FULL:
        return refuse(call)
    stream_id = form.uuid("stream")
    is_caller_gone = form.text("CallStatus") in OVER_AT_THE_CARRIER
    return say_next(call, follow_up_of(call, stream_id=stream_id, is_caller_gone=is_caller_gone), stream_id)


def say_next(call: Call, next_step: NextStep, stream_id: UUID | None = None) -> HttpResponse:
    """The decision as TwiML."""
    language = language_of(call)
    apology = phrase(Phrase.APOLOGY, language)
    match next_step:
        case NextStep(Step.DIAL | Step.APOLOGIZE_AND_DIAL as step, target) if target is not None:
            sentences = (apology, phrase(Phrase.CONNECTING, language)) if step is Step.APOLOGIZE_AND_DIAL else ()
            first = cold.first_attempt(call, stream_id)
            caller_id = shown_number(first)[0] if first is not None else caller_id_for(call)
            return twiml.dial(target.number, *sentences, caller_id=caller_id, language=language)
        case NextStep(Step.HOLD):
            return hold(transfer_after(call, stream_id), rounds=0)
        case NextStep(Step.BACK_TO_AGENT):
            return return_caller(transfer_after(call, stream_id))
        case NextStep(Step.TAKE_MESSAGE):
            return take_message(call, phrase(Phrase.NOBODY_THERE, language), language=language)
        case NextStep(Step.APOLOGIZE_AND_TAKE_MESSAGE):
            return take_message(call, apology, language=language)
        case _:
            return twiml.hang_up()


def transfer_after(call: Call, stream_id: UUID | None) -> Transfer:
    """The transfer that this stream of the call ended with."""
    transfers = Transfer.objects.filter(call=call).select_related("call__agent_version", "call__agent")
    return transfers.get(stream=stream_id) if stream_id else transfers.get(stream__is_return=False)


def return_caller(transfer: Transfer) -> HttpResponse:
    """No person took the call: the caller goes back to the agent, or leaves a message."""
    stream = stream_back(transfer)
    if stream is not None:
        return twiml.connect(stream)
    language = language_of(transfer.call)
    return take_message(transfer.call, phrase(Phrase.NOBODY_THERE, language), language=language)


@twilio_webhook(without_database=apologize)
def after_dial(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    # A person's mailbox or a call that was cut before both could hear each other is no talk.
    status = "not-bridged" if form.text("DialBridged") == "false" else form.text("DialCallStatus")
    dial_sid = form.text("DialCallSid")
    duration_s = form.number("DialCallDuration")
    has_talked = note_dial_result(call, dial_sid=dial_sid, status=status, duration_s=duration_s)
    attempt = cold.dialed_attempt(call, form.uuid("attempt"))
    if attempt is not None:
        cold.dial_over(attempt, status=status, has_talked=has_talked, duration_s=duration_s)
    if has_talked:
        return twiml.hang_up()
    if attempt is not None and form.text("CallStatus") in OVER_AT_THE_CARRIER:
        cold.caller_left(attempt)
        return twiml.hang_up()
    if attempt is not None:
        following = cold.dial_after(attempt)
        return dial_next(call, following) if following is not None else return_caller(attempt.transfer)
    language = language_of(call)
    return take_message(call, phrase(Phrase.NOBODY_THERE, language), language=language)


def dial_next(call: Call, attempt: TransferAttempt) -> HttpResponse:
    number, _ = shown_number(attempt)
    action = f"/twiml/after-dial?attempt={attempt.pk}"
    return twiml.dial(attempt.number, caller_id=number, language=language_of(call), action=action)


@twilio_webhook(without_database=apologize)
def after_message(form: SignedForm) -> HttpResponse:
    call = find_call(form)
    if call is None:
        return HttpResponse(status=404)
    sid, duration_s = form.text("RecordingSid"), form.number("RecordingDuration")
    note_message(call, recording_sid=sid, duration_s=duration_s)
    open_voicemail(call, recording_sid=sid, duration_s=duration_s)
    language = language_of(call)
    return twiml.hang_up(phrase(Phrase.THANKS, language), language=language)
