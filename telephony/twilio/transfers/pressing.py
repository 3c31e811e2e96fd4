"""What the called person does: answers, accepts or declines by key, hangs up."""

from __future__ import annotations

import enum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from sessions.calls.services import record_event

from . import progress
from .advance import send_caller_on
from .documents import ACCEPT, DECLINE
from .models import AttemptState, Transfer, TransferAttempt, TransferState

MOST_PROMPTS = 3
# What the carrier's last status says of a leg that was not accepted.
OUTCOMES = {
    "busy": AttemptState.BUSY,
    "no-answer": AttemptState.NO_ANSWER,
    "failed": AttemptState.FAILED,
    "canceled": AttemptState.NO_ANSWER,
    "completed": AttemptState.NOT_ACCEPTED,
}


class Reply(enum.Enum):
    """What the person gets."""

    OFFER = enum.auto()
    JOIN = enum.auto()
    DECLINED = enum.auto()
    CALLER_GONE = enum.auto()
    HANG_UP = enum.auto()


def person_answered(attempt_id: UUID, call_sid: str) -> Reply:
    """The leg was answered, by a person or a machine. One that answers too late is hung up."""
    with transaction.atomic():
        attempt, transfer = _locked(attempt_id, call_sid)
        if attempt is None or transfer is None:
            return Reply.HANG_UP
        if attempt.state in (AttemptState.DIALING, AttemptState.RINGING) and transfer.state == TransferState.WAITING:
            TransferAttempt.objects.filter(pk=attempt.pk).update(
                state=AttemptState.ANSWERED, answered_at=timezone.now(), prompts=1
            )
            return Reply.OFFER
        return _standing(attempt, transfer)


def person_pressed(attempt_id: UUID, call_sid: str, keys: str) -> Reply:
    """The key decides, once: a repeated request gets the same reply."""
    with transaction.atomic():
        attempt, transfer = _locked(attempt_id, call_sid)
        if attempt is None or transfer is None:
            return Reply.HANG_UP
        if attempt.state != AttemptState.ANSWERED or transfer.state != TransferState.WAITING:
            return _standing(attempt, transfer)
        if keys == DECLINE or (keys != ACCEPT and attempt.prompts >= MOST_PROMPTS):
            outcome = AttemptState.DECLINED if keys == DECLINE else AttemptState.NOT_ACCEPTED
            progress.close_attempt(attempt, outcome)
            progress.wake_up_on_commit(transfer)
            return Reply.DECLINED
        if keys != ACCEPT:
            TransferAttempt.objects.filter(pk=attempt.pk).update(prompts=attempt.prompts + 1)
            return Reply.OFFER
        _accept(attempt, transfer)
    # The caller is called away from the hold at once. If that fails, the hold ends within seconds.
    if send_caller_on(transfer.pk, transfer.call.carrier_sid or "") is False:
        progress.caller_gone(transfer.call)
        return Reply.CALLER_GONE
    return Reply.JOIN


def _accept(attempt: TransferAttempt, transfer: Transfer) -> None:
    now = timezone.now()
    TransferAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.ACCEPTED)
    Transfer.objects.filter(pk=transfer.pk).update(state=TransferState.JOINING, accepted_at=now)
    record_event(transfer.call_id, "transfer_accepted", {"target": attempt.name})


def _standing(attempt: TransferAttempt, transfer: Transfer) -> Reply:
    """What was decided before."""
    if attempt.state == AttemptState.ACCEPTED and transfer.is_live:
        return Reply.JOIN
    if attempt.state == AttemptState.ANSWERED and transfer.state == TransferState.WAITING:
        return Reply.OFFER
    if attempt.state == AttemptState.DECLINED:
        return Reply.DECLINED
    is_caller_gone = attempt.answered_at is not None and transfer.state == TransferState.CALLER_LEFT
    return Reply.CALLER_GONE if is_caller_gone else Reply.HANG_UP


def person_over(attempt_id: UUID, call_sid: str, *, is_refused: bool) -> bool:
    """The person has left the conference, or the carrier did not let them in. Returns whether they were never joined.

    The caller, who may have been refused first and be with the agent again, is sent on only by who ends the transfer.
    """
    is_ours = False
    with transaction.atomic():
        attempt, transfer = _locked(attempt_id, call_sid)
        if attempt is None or transfer is None:
            return False
        if is_refused and transfer.state == TransferState.JOINING and attempt.state == AttemptState.ACCEPTED:
            progress.not_joined(transfer, progress.CONFERENCE_REFUSED)
            is_ours = progress.nobody_took_it(transfer, failure=progress.CONFERENCE_REFUSED)
            progress.wake_up_on_commit(transfer)
    if is_ours:
        send_caller_on(transfer.pk, transfer.call.carrier_sid or "")
    return is_refused


def leg_status(attempt_id: UUID, call_sid: str, *, status: str) -> None:
    """What the carrier says of the leg, in any order. Its end ends the attempt, or the conversation."""
    is_caller_alone = False
    with transaction.atomic():
        attempt, transfer = _locked(attempt_id, call_sid)
        if attempt is None or transfer is None:
            return
        if attempt.state == AttemptState.DIALING:
            TransferAttempt.objects.filter(pk=attempt.pk).update(state=AttemptState.RINGING)
        outcome = OUTCOMES.get(status)
        if outcome is None:
            if attempt.ended_at is not None and attempt.state != AttemptState.ACCEPTED:
                progress.wake_up_on_commit(transfer)  # it rings though it was given up: a task hangs it up
            return
        TransferAttempt.objects.filter(pk=attempt.pk, leg_ended_at=None).update(leg_ended_at=timezone.now())
        if attempt.state == AttemptState.ACCEPTED and transfer.state == TransferState.TALKING:
            progress.end_talk(transfer)
        elif attempt.state == AttemptState.ACCEPTED and transfer.state == TransferState.JOINING:
            progress.not_joined(transfer, "hung_up", outcome=AttemptState.NOT_ACCEPTED)
            is_caller_alone = True
        elif attempt.ended_at is None:
            progress.close_attempt(attempt, outcome)
            progress.wake_up_on_commit(transfer)
    if is_caller_alone:
        send_caller_on(transfer.pk, transfer.call.carrier_sid or "")


def _locked(attempt_id: UUID, call_sid: str) -> tuple[TransferAttempt | None, Transfer | None]:
    """The attempt with its transfer, if the leg is its own. The first leg that names it is."""
    attempt = TransferAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None:
        return None, None
    transfer = progress.lock(attempt.transfer_id)
    TransferAttempt.objects.filter(pk=attempt_id, call_sid=None).update(call_sid=call_sid)
    attempt = TransferAttempt.objects.select_related("transfer__call__agent_version").get(pk=attempt_id)
    return (attempt, transfer) if attempt.call_sid == call_sid else (None, None)
