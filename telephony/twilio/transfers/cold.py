"""Cold transfers: the carrier dials one person after the other, and says how each dial ended."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agents.transfers.models import CallerId, TransferMode
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call, record_event

from . import progress
from .models import AttemptState, Transfer, TransferAttempt, TransferState
from .permission import why_not

OUTCOMES = {
    "busy": AttemptState.BUSY,
    "no-answer": AttemptState.NO_ANSWER,
    "canceled": AttemptState.CANCELED,
    "not-bridged": AttemptState.NOT_ACCEPTED,
}


def dialed_attempt(call: Call, attempt_id: UUID | None) -> TransferAttempt | None:
    """The attempt of a dial: the named one, or the first of the call's last transfer."""
    attempts = TransferAttempt.objects.filter(transfer__call=call, transfer__mode=TransferMode.COLD)
    if attempt_id is not None:
        return attempts.filter(pk=attempt_id).first()
    return attempts.filter(position=0).order_by("-transfer__created_at").first()


def first_attempt(call: Call, stream_id: UUID | None) -> TransferAttempt | None:
    """The first dial of the transfer that the stream ended with, None for a call without one."""
    attempts = TransferAttempt.objects.filter(transfer__call=call, position=0).select_related("transfer__call")
    if stream_id is not None:
        return attempts.filter(transfer__stream=stream_id).first()
    return attempts.filter(transfer__stream__is_return=False).first()


def dial_over(attempt: TransferAttempt, *, status: str, has_talked: bool, duration_s: int | None) -> None:
    """Keep once how a dial ended, and end the transfer if they talked. Their talk may be longer than the call here."""
    now = timezone.now()
    with transaction.atomic():
        transfer = progress.lock(attempt.transfer_id)
        if not has_talked:
            progress.close_attempt(attempt, _outcome(attempt, status), failure="" if status in OUTCOMES else status)
            return
        is_ours = TransferAttempt.objects.filter(pk=attempt.pk, ended_at=None).update(
            state=AttemptState.ACCEPTED, ended_at=now, leg_ended_at=now
        )
        if is_ours:
            joined_at = now - dt.timedelta(seconds=duration_s or 0)
            Transfer.objects.filter(pk=transfer.pk).update(
                state=TransferState.TALKED, accepted_at=joined_at, joined_at=joined_at, ended_at=now
            )
            finish_call(transfer.call_id, reason=EndReason.TRANSFERRED)


def _outcome(attempt: TransferAttempt, status: str) -> AttemptState:
    if status == "failed" and attempt.caller_id == CallerId.CALLER:
        return AttemptState.REFUSED  # error 13214; the second try shows the organization's number
    return OUTCOMES.get(status, AttemptState.FAILED)


def caller_left(attempt: TransferAttempt) -> None:
    """The caller hung up before anybody had taken the call."""
    now = timezone.now()
    with transaction.atomic():
        transfer = progress.lock(attempt.transfer_id)
        is_ours = Transfer.objects.filter(pk=transfer.pk, state=TransferState.WAITING).update(
            state=TransferState.CALLER_LEFT, ended_at=now
        )
        if is_ours:
            record_event(transfer.call_id, "transfer_over", {"status": "caller_left"})
        finish_call(transfer.call_id, reason=EndReason.CALLER_HUNG_UP)


def dial_after(attempt: TransferAttempt) -> TransferAttempt | None:
    """The person to dial after this one, the same for a repeated request. None: there is none, the transfer is over."""
    with transaction.atomic():
        transfer = progress.lock(attempt.transfer_id)
        for following in transfer.attempts.filter(position__gt=attempt.position):
            was_refused = following.is_second_try and _was_refused(transfer, following.position - 1)
            if following.is_second_try and not was_refused:
                continue
            if why := why_not(following, transfer.call):
                progress.close_attempt(following, AttemptState.FAILED, failure=why)
                continue
            progress.begin_attempt(following)
            return following
        progress.nobody_took_it(transfer)
    return None


def _was_refused(transfer: Transfer, position: int) -> bool:
    return transfer.attempts.filter(position=position, state=AttemptState.REFUSED).exists()
