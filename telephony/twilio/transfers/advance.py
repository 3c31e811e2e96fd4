"""Brings warm transfers forward: calls the next person, gives up who does not answer, returns the caller, ends legs.

Woken up by webhooks, and periodically for what a lost hint or a killed process left. Safe to run in several places.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agents.transfers.models import TransferMode
from telephony.twilio.twiml import LONGEST_TRANSFER_S
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.twilio.client import CallerIdRefused, TwilioClient

from . import progress
from .addresses import caller_url, leg_urls
from .caller_ids import shown_number
from .models import OPEN_ATTEMPTS, AttemptState, Transfer, TransferAttempt, TransferState
from .permission import why_not

logger = structlog.get_logger("transfers")

# Twilio adds up to 5 s to the time that a phone rings.
RING_MARGIN = dt.timedelta(seconds=8)
# No leg, and no report of one, so long after it was requested: the process died, or the request was lost.
NO_WORD_AFTER = dt.timedelta(seconds=15)
# Of each reading of the summary: a slow voice says so many characters in a second; then the keys, twice.
SAID_PER_S = 10
KEYS_TAKE_S = 40
JOINS_WITHIN = dt.timedelta(seconds=20)
# The hold's sound lasts 8 s, then Twilio requests again what follows.
CALLER_UNSEEN_FOR = dt.timedelta(seconds=30)
LONGEST_TALK = dt.timedelta(seconds=LONGEST_TRANSFER_S + 120)
# Both legs end by themselves when one hangs up.
LEG_ENDS_WITHIN = dt.timedelta(seconds=15)
CALLER_RETURNS_WITHIN = dt.timedelta(seconds=10)
SENDS_ON_FOR = dt.timedelta(minutes=10)
MOST_AT_ONCE = 200
MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Place:
    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class Return:
    """No person took the call: have the carrier request at once what follows for the caller."""

    carrier_sid: str


@dataclass(frozen=True, slots=True)
class LookForCaller:
    carrier_sid: str


Action = Place | Return | LookForCaller


def advance_all() -> int:
    """How many live transfers there were. Then the legs that are left open.

    Those whose callers wait come first, and one that fails keeps no other waiting.
    """
    waiting = Transfer.objects.filter(state__in=(TransferState.WAITING, TransferState.JOINING))
    talking = Transfer.objects.filter(state=TransferState.TALKING)
    live = [pk for found in (waiting, talking) for pk in found.values_list("pk", flat=True)[:MOST_AT_ONCE]]
    for transfer_id in live:
        try:
            advance(transfer_id)
        except Exception:
            logger.exception("transfer not advanced", transfer_id=str(transfer_id))
    _send_on_who_still_wait()
    end_open_legs()
    return len(live)


def _send_on_who_still_wait() -> None:
    """Callers whom no person took and who have not come back: the carrier did not respond, or the process died."""
    now = timezone.now()
    waiting = Transfer.objects.filter(
        mode=TransferMode.WARM,
        state=TransferState.NOBODY,
        returned_at=None,
        ended_at__range=(now - SENDS_ON_FOR, now - CALLER_RETURNS_WITHIN),
    ).select_related("call")
    for transfer in waiting[:MOST_AT_ONCE]:
        if send_caller_on(transfer.pk, transfer.call.carrier_sid or "") is False:
            progress.caller_left_after_all(transfer)


def advance(transfer_id: UUID) -> None:
    """Until the transfer waits for somebody, or is over."""
    for _ in range(MOST_STEPS):
        with transaction.atomic():
            action = _next_action(progress.lock(transfer_id), timezone.now())
        match action:
            case Place(attempt_id):
                place_call(attempt_id)
            case Return(carrier_sid):
                send_caller_on(transfer_id, carrier_sid)
                break
            case LookForCaller(carrier_sid):
                if not _is_caller_there(transfer_id, carrier_sid):
                    break
            case None:
                break
    end_open_legs(transfer_id)


def _next_action(transfer: Transfer, now: dt.datetime) -> Action | None:
    if transfer.mode == TransferMode.COLD:
        if transfer.is_live and now - transfer.created_at > LONGEST_TALK:
            # Whatever became of it, the carrier's report was lost.
            if (attempt := progress.open_attempt(transfer)) is not None:
                progress.close_attempt(attempt, AttemptState.FAILED, failure="no_word")
            progress.nobody_took_it(transfer, failure="no_word")
        return None
    carrier_sid = transfer.call.carrier_sid or ""
    seen_at = transfer.seen_at or transfer.created_at
    match transfer.state:
        case TransferState.WAITING if now - seen_at > CALLER_UNSEEN_FOR:
            return LookForCaller(carrier_sid)
        case TransferState.WAITING:
            return _call_somebody(transfer, now)
        case TransferState.JOINING if transfer.accepted_at and now - transfer.accepted_at > JOINS_WITHIN:
            progress.not_joined(transfer, "not_joined")
            return Return(carrier_sid) if transfer.state == TransferState.WAITING else None
        case TransferState.TALKING if transfer.joined_at and now - max(transfer.joined_at, seen_at) > LONGEST_TALK:
            return LookForCaller(carrier_sid)
    return None


def _call_somebody(transfer: Transfer, now: dt.datetime) -> Action | None:
    current = progress.open_attempt(transfer)
    if current is not None:
        overdue = _overdue(current, now)
        if overdue is None:
            return None
        progress.close_attempt(current, overdue, failure="no_word" if overdue is AttemptState.FAILED else "")
    following = progress.next_attempt(transfer)
    if following is None:
        progress.nobody_took_it(transfer)
        return Return(transfer.call.carrier_sid or "")
    progress.begin_attempt(following)
    return Place(following.pk)


def _overdue(attempt: TransferAttempt, now: dt.datetime) -> AttemptState | None:
    """What became of an attempt that takes too long."""
    dialed_at, answered_at = attempt.dialed_at or now, attempt.answered_at
    ring = dt.timedelta(seconds=settings.TRANSFER_RING_S) + RING_MARGIN
    if attempt.state == AttemptState.ANSWERED and answered_at is not None:
        return AttemptState.NOT_ACCEPTED if now - answered_at > _decides_within(attempt) else None
    if attempt.call_sid is None and now - dialed_at > NO_WORD_AFTER:
        return AttemptState.FAILED
    return AttemptState.NO_ANSWER if now - dialed_at > ring else None


def _decides_within(attempt: TransferAttempt) -> dt.timedelta:
    """Longer than all that the person hears: another key than those offered has it read once more."""
    reading_s = len(attempt.transfer.summary) / SAID_PER_S + KEYS_TAKE_S
    return dt.timedelta(seconds=reading_s * max(attempt.prompts, 1))


def place_call(attempt_id: UUID) -> None:
    """Let the person's phone ring. What the carrier refuses ends the attempt, with the reason."""
    attempt = TransferAttempt.objects.select_related("transfer__call__organization", "transfer__stream").get(
        pk=attempt_id
    )
    call = attempt.transfer.call
    if why := why_not(attempt, call):
        progress.close_attempt(attempt, AttemptState.FAILED, failure=why)
        return
    number, token = shown_number(attempt)
    urls = leg_urls(attempt)
    try:
        sid = TwilioClient.from_settings().place_call(
            to=attempt.number,
            from_=number,
            url=urls.answered,
            status_callback=urls.status,
            ring_s=settings.TRANSFER_RING_S,
            limit_s=LONGEST_TRANSFER_S,
            call_token=token,
        )
    except CallerIdRefused as fault:
        progress.close_attempt(attempt, AttemptState.REFUSED, failure=str(fault.code))
    except ProviderError as fault:
        logger.warning("person not called", call_id=str(call.pk), error=str(fault))
        progress.close_attempt(attempt, AttemptState.FAILED, failure=str(fault))
    else:
        # Its webhooks may have come first, or the caller may have hung up meanwhile.
        TransferAttempt.objects.filter(pk=attempt.pk, call_sid=None).update(call_sid=sid)
        TransferAttempt.objects.filter(pk=attempt.pk, state=AttemptState.DIALING).update(state=AttemptState.RINGING)


def send_caller_on(transfer_id: UUID, carrier_sid: str) -> bool | None:
    """Have the carrier request now what follows for the caller. False: the caller has hung up. None: no response.

    It does so by itself when the hold's sound ends, so a failure costs seconds.
    """
    try:
        return TwilioClient.from_settings().continue_at(carrier_sid, url=caller_url(transfer_id))
    except ProviderError as fault:
        logger.warning("caller not sent on", transfer_id=str(transfer_id), error=str(fault))
        return None


def _is_caller_there(transfer_id: UUID, carrier_sid: str) -> bool:
    """The carrier has sent no request for a while: look the call up. False if the transfer is over, or unknown."""
    transfer = Transfer.objects.select_related("call").get(pk=transfer_id)
    try:
        found = TwilioClient.from_settings().fetch_call(carrier_sid)
    except ProviderError as fault:
        logger.warning("carrier request failed", call_id=str(transfer.call_id), error=str(fault))
        return False
    if found.is_over:
        progress.caller_gone(transfer.call, found.ended_at)
        return False
    Transfer.objects.filter(pk=transfer_id).update(seen_at=timezone.now())
    return True


def end_open_legs(transfer_id: UUID | None = None) -> None:
    """Hang up legs that are not needed any more: they may be answered too late, or outlive their callers.

    A person whom the conference has refused is still hearing that, and is hung up by the document.
    """
    now = timezone.now()
    is_hearing_why = Q(failure=progress.CONFERENCE_REFUSED, ended_at__gt=now - LEG_ENDS_WITHIN)
    is_over = Q(ended_at__isnull=False) & ~Q(state=AttemptState.ACCEPTED)
    outlived = Q(state=AttemptState.ACCEPTED, transfer__ended_at__lt=now - LEG_ENDS_WITHIN)
    legs = TransferAttempt.objects.filter(call_sid__isnull=False, leg_ended_at=None).filter(is_over | outlived)
    legs = legs.filter(transfer__mode=TransferMode.WARM).exclude(state__in=OPEN_ATTEMPTS).exclude(is_hearing_why)
    if transfer_id is not None:
        legs = legs.filter(transfer=transfer_id)
    for attempt in legs[:MOST_AT_ONCE]:
        try:
            TwilioClient.from_settings().hang_up(attempt.call_sid or "")
        except ProviderError as fault:
            logger.warning("leg not hung up", attempt_id=str(attempt.pk), error=str(fault))
            if not fault.permanent:
                continue
        TransferAttempt.objects.filter(pk=attempt.pk, leg_ended_at=None).update(leg_ended_at=timezone.now())
