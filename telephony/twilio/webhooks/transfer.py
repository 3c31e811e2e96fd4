"""`/twiml/transfer/…`: a warm transfer as Twilio carries it out, on the caller's leg and on the person's."""

from __future__ import annotations

import structlog
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils import timezone

from telephony.twilio import twiml
from telephony.twilio.phrases import Phrase, phrase
from telephony.twilio.services.statuses import OVER_AT_THE_CARRIER
from telephony.twilio.transfers import caller, documents, pressing, progress
from telephony.twilio.transfers.documents import language_of
from telephony.twilio.transfers.models import Transfer, TransferAttempt, TransferState
from telephony.twilio.transfers.pressing import Reply

from .after import return_caller
from .endpoint import SignedForm, twilio_webhook
from .status import busy
from .voice import apologize

logger = structlog.get_logger("webhooks")

# Of 8 s each: a database that does not answer for so long ends the wait with an apology.
MOST_ROUNDS_WITHOUT_DATABASE = 40


@twilio_webhook(without_database=apologize)
def transfer_caller(form: SignedForm) -> HttpResponse:
    """What follows for the caller, requested whenever the hold's sound is over and when something has changed."""
    digits = form.query.get("round", "0")
    rounds = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0
    try:
        return _what_follows(form, rounds)
    except DatabaseError:
        transfer_id = form.uuid("transfer")
        if transfer_id is None or rounds > MOST_ROUNDS_WITHOUT_DATABASE:
            raise
        logger.exception("the database did not answer", webhook="transfer_caller")
        return documents.hold_on(transfer_id, rounds=rounds)


def _what_follows(form: SignedForm, rounds: int) -> HttpResponse:
    transfer = _transfer(form)
    if transfer is None:
        return twiml.hang_up()
    is_ended = transfer.is_live and not transfer.call.is_live  # by an operator, or over the API
    if is_ended or form.text("CallStatus") in OVER_AT_THE_CARRIER:
        progress.caller_gone(transfer.call)
        return twiml.hang_up()
    return _for_caller(transfer, rounds=rounds)


def _for_caller(transfer: Transfer, *, rounds: int) -> HttpResponse:
    Transfer.objects.filter(pk=transfer.pk).update(seen_at=timezone.now())
    match transfer.state:
        case TransferState.WAITING:
            return documents.hold(transfer, rounds=rounds)
        case TransferState.JOINING | TransferState.TALKING:
            return documents.join_caller(transfer)
        case TransferState.NOBODY:
            return return_caller(transfer)
    return twiml.hang_up()


@twilio_webhook(without_database=apologize)
def transfer_caller_over(form: SignedForm) -> HttpResponse:
    """The caller has left the conference, or was not let in."""
    transfer = _transfer(form)
    if transfer is None:
        return twiml.hang_up()
    has_left = form.text("CallStatus") in OVER_AT_THE_CARRIER
    caller.left_conference(transfer, has_hung_up=has_left, is_refused=form.text("DialCallStatus") == "failed")
    transfer.refresh_from_db(fields=["state"])
    return twiml.hang_up() if has_left else _for_caller(transfer, rounds=1)


@twilio_webhook(without_database=apologize)
def transfer_answered(form: SignedForm) -> HttpResponse:
    """The person's phone was answered: by the person, or by a voicemail, which cannot press a key."""
    attempt = _attempt(form)
    if attempt is None or form.text("CallStatus") in OVER_AT_THE_CARRIER:
        return twiml.hang_up()
    return _for_person(attempt, pressing.person_answered(attempt.pk, form.call_sid))


@twilio_webhook(without_database=apologize)
def transfer_pressed(form: SignedForm) -> HttpResponse:
    attempt = _attempt(form)
    if attempt is None or form.text("CallStatus") in OVER_AT_THE_CARRIER:
        return twiml.hang_up()
    return _for_person(attempt, pressing.person_pressed(attempt.pk, form.call_sid, form.text("Digits")))


def _for_person(attempt: TransferAttempt, reply: Reply) -> HttpResponse:
    language = language_of(attempt.transfer.call)
    match reply:
        case Reply.OFFER:
            return documents.offer(attempt)
        case Reply.JOIN:
            return documents.join_person(attempt)
        case Reply.DECLINED:
            return twiml.hang_up(phrase(Phrase.DECLINED, language), language=language)
        case Reply.CALLER_GONE:
            return twiml.hang_up(phrase(Phrase.CALLER_GONE, language), language=language)
    return twiml.hang_up()


@twilio_webhook(without_database=apologize)
def transfer_person_over(form: SignedForm) -> HttpResponse:
    """The person has left the conference, or was not let in."""
    attempt = _attempt(form)
    if attempt is None:
        return twiml.hang_up()
    is_refused = form.text("DialCallStatus") == "failed"
    if not pressing.person_over(attempt.pk, form.call_sid, is_refused=is_refused):
        return twiml.hang_up()
    language = language_of(attempt.transfer.call)
    return twiml.hang_up(phrase(Phrase.NOT_JOINED, language), language=language)


@twilio_webhook(without_database=busy)
def transfer_status(form: SignedForm) -> HttpResponse:
    """`POST /twilio/transfer-status`: how the person's leg goes on, in any order and repeated."""
    attempt = _attempt(form)
    if attempt is not None:
        pressing.leg_status(attempt.pk, form.call_sid, status=form.text("CallStatus"))
    return HttpResponse(status=204)


@twilio_webhook(without_database=busy)
def conference_status(form: SignedForm) -> HttpResponse:
    """`POST /twilio/conference-status`: one of the two has entered the conference."""
    transfer_id = form.uuid("transfer")
    is_join = form.text("StatusCallbackEvent") == "participant-join"
    if transfer_id is not None and is_join and Transfer.objects.filter(pk=transfer_id).exists():
        progress.entered_conference(transfer_id, form.call_sid)
    return HttpResponse(status=204)


def _transfer(form: SignedForm) -> Transfer | None:
    """The transfer that the address names, if the request comes from its caller's leg."""
    transfers = Transfer.objects.select_related("call__organization", "call__agent_version", "call__agent")
    transfer_id = form.uuid("transfer")
    return transfers.filter(pk=transfer_id, call__carrier_sid=form.call_sid).first() if transfer_id else None


def _attempt(form: SignedForm) -> TransferAttempt | None:
    attempts = TransferAttempt.objects.select_related("transfer__call__agent_version", "transfer__call__agent")
    attempt_id = form.uuid("attempt")
    return attempts.filter(pk=attempt_id).first() if attempt_id else None
