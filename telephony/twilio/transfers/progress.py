"""The life of a transfer. Every change is one short transaction: webhooks may repeat, overtake each other, meet tasks.

What the carrier then has to do is requested after the commit, and by the periodic task if the process dies before.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agents.transfers.models import TransferMode
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.calls.services import finish_call, possible_end, record_event
from voiceapp.core.jobs.wake_up import WakeUp

from .models import LIVE_TRANSFERS, OPEN_ATTEMPTS, AttemptState, Transfer, TransferAttempt, TransferState

CONFERENCE_REFUSED = "conference_refused"

wake_up = WakeUp("telephony.tasks.advance_transfer")


def wake_up_on_commit(transfer: Transfer) -> None:
    """A worker brings the transfer forward soon; if the hint is lost, the periodic task does."""
    transaction.on_commit(lambda: wake_up(str(transfer.pk)), robust=True)


def lock(transfer_id: UUID) -> Transfer:
    """The transfer as it is now, and until the transaction ends."""
    locked = Transfer.objects.select_for_update(of=("self",)).select_related("call__organization")
    return locked.get(pk=transfer_id)


def close_attempt(attempt: TransferAttempt, outcome: AttemptState, *, failure: str = "") -> bool:
    """End an attempt once, as `outcome`; True for the caller that did."""
    now = timezone.now()
    is_ours = TransferAttempt.objects.filter(pk=attempt.pk, ended_at=None).update(
        state=outcome, ended_at=now, failure=failure[:80]
    )
    if is_ours:
        detail = {"target": attempt.name, "outcome": outcome.value}
        record_event(attempt.transfer.call_id, "transfer_attempt", detail | ({"why": failure[:80]} if failure else {}))
        attempt.state, attempt.ended_at, attempt.failure = outcome, now, failure[:80]
    return bool(is_ours)


def open_attempt(transfer: Transfer) -> TransferAttempt | None:
    return transfer.attempts.filter(state__in=OPEN_ATTEMPTS).first()


def next_attempt(transfer: Transfer) -> TransferAttempt | None:
    """The next one to call. A second try with the organization's number follows only a refused caller ID."""
    attempts = list(transfer.attempts.all())
    for previous, attempt in zip([None, *attempts], attempts, strict=False):
        if attempt.state != AttemptState.PLANNED:
            continue
        if not attempt.is_second_try or (previous is not None and previous.state == AttemptState.REFUSED):
            return attempt
    return None


def begin_attempt(attempt: TransferAttempt) -> bool:
    """Claim the call to this person: it is placed once."""
    return bool(
        TransferAttempt.objects.filter(pk=attempt.pk, state=AttemptState.PLANNED).update(
            state=AttemptState.DIALING, dialed_at=timezone.now()
        )
    )


def entered_conference(transfer_id: UUID, call_sid: str) -> None:
    """One of the two is in the conference. They hear each other once both are."""
    now = timezone.now()
    with transaction.atomic():
        transfer = lock(transfer_id)
        if transfer.state != TransferState.JOINING:
            return
        if call_sid == transfer.call.carrier_sid:
            Transfer.objects.filter(pk=transfer.pk, caller_joined_at=None).update(caller_joined_at=now)
        accepted = transfer.attempts.filter(state=AttemptState.ACCEPTED)
        accepted.filter(call_sid=call_sid, joined_at=None).update(joined_at=now)
        transfer.refresh_from_db(fields=["caller_joined_at"])
        if transfer.caller_joined_at and accepted.exclude(joined_at=None).exists():
            joined(transfer, now)


def joined(transfer: Transfer, at: dt.datetime) -> None:
    """Caller and person hear each other."""
    if Transfer.objects.filter(pk=transfer.pk, state=TransferState.JOINING).update(
        state=TransferState.TALKING, joined_at=at
    ):
        transfer.state, transfer.joined_at = TransferState.TALKING, at
        record_event(transfer.call_id, "transfer_joined", {"target": accepted_name(transfer)})


def accepted_name(transfer: Transfer) -> str:
    attempt = transfer.attempts.filter(state=AttemptState.ACCEPTED).first()
    return attempt.name if attempt else transfer.name


def end_talk(transfer: Transfer, at: dt.datetime | None = None) -> None:
    """One of the two has hung up after they talked. The call is over with it."""
    now = at or timezone.now()
    if not Transfer.objects.filter(pk=transfer.pk, state=TransferState.TALKING).update(
        state=TransferState.TALKED, ended_at=now
    ):
        return
    transfer.state, transfer.ended_at = TransferState.TALKED, now
    TransferAttempt.objects.filter(transfer=transfer, state=AttemptState.ACCEPTED, ended_at=None).update(ended_at=now)
    record_event(transfer.call_id, "transfer_over", {"status": "completed", "duration_s": transfer.talk_s})
    Call.objects.filter(pk=transfer.call_id).update(transferred_to=accepted_name(transfer))
    finish_call(transfer.call_id, reason=EndReason.TRANSFERRED, at=possible_end(transfer.call, now))
    wake_up_on_commit(transfer)


def not_joined(transfer: Transfer, why: str, *, outcome: AttemptState = AttemptState.FAILED) -> None:
    """Somebody accepted, and they never heard each other: the next person is called."""
    for attempt in transfer.attempts.filter(state=AttemptState.ACCEPTED):
        close_attempt(attempt, outcome, failure=why)
    Transfer.objects.filter(pk=transfer.pk, state=TransferState.JOINING).update(
        state=TransferState.WAITING, accepted_at=None, caller_joined_at=None, seen_at=timezone.now()
    )
    transfer.refresh_from_db(fields=["state"])
    wake_up_on_commit(transfer)


def nobody_took_it(transfer: Transfer, *, failure: str = "") -> bool:
    """Everybody was called in vain. What follows for the caller is decided by `if_nobody`."""
    now = timezone.now()
    is_ours = Transfer.objects.filter(pk=transfer.pk, state__in=(TransferState.WAITING, TransferState.JOINING)).update(
        state=TransferState.NOBODY, ended_at=now, failure=failure[:80]
    )
    if is_ours:
        transfer.state, transfer.ended_at = TransferState.NOBODY, now
        record_event(transfer.call_id, "transfer_over", {"status": "nobody", **({"why": failure} if failure else {})})
    return bool(is_ours)


def caller_gone(call: Call, at: dt.datetime | None = None) -> None:
    """The caller has hung up, whatever the warm transfer was doing. The person's leg is ended by a task.

    Of a cold one the carrier reports the result itself (cold.py).
    """
    live = call.transfers.filter(mode=TransferMode.WARM, state__in=LIVE_TRANSFERS)
    for transfer_id in live.values_list("pk", flat=True):
        with transaction.atomic():
            transfer = lock(transfer_id)
            if transfer.state == TransferState.TALKING:
                end_talk(transfer, at)
            elif transfer.is_live:
                _abandon(transfer, at or timezone.now())


def caller_left_after_all(transfer: Transfer) -> None:
    """No person took the call, and the caller hung up before hearing so."""
    Transfer.objects.filter(pk=transfer.pk, returned_at=None).update(returned_at=timezone.now())
    finish_call(transfer.call_id, reason=EndReason.CALLER_HUNG_UP)


def _abandon(transfer: Transfer, at: dt.datetime) -> None:
    Transfer.objects.filter(pk=transfer.pk).update(state=TransferState.CALLER_LEFT, ended_at=at)
    for attempt in transfer.attempts.filter(ended_at=None, state__in=(*OPEN_ATTEMPTS, AttemptState.ACCEPTED)):
        close_attempt(attempt, AttemptState.CANCELED)
    record_event(transfer.call_id, "transfer_over", {"status": "caller_left"})
    finish_call(transfer.call_id, reason=EndReason.CALLER_HUNG_UP, at=possible_end(transfer.call, at))
    wake_up_on_commit(transfer)
