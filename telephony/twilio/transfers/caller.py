"""What the caller's leg does in a warm transfer, beside waiting."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from . import progress
from .models import AttemptState, Transfer, TransferState

# The carrier's report that both had entered may be lost: who was in a conference for so long with a person has talked.
TALKED_AFTER = dt.timedelta(seconds=5)


def left_conference(transfer: Transfer, *, has_hung_up: bool, is_refused: bool) -> None:
    """The caller's part in the conference is over: the talk has ended, or it never began."""
    now = timezone.now()
    with transaction.atomic():
        locked = progress.lock(transfer.pk)
        if locked.state == TransferState.JOINING and not is_refused and _was_in(locked, now):
            progress.joined(locked, locked.seen_at or now)
        if locked.state == TransferState.TALKING:
            progress.end_talk(locked, now)
            return
        if locked.state == TransferState.JOINING and not has_hung_up:
            progress.not_joined(locked, progress.CONFERENCE_REFUSED if is_refused else "hung_up")
            if is_refused:
                progress.nobody_took_it(locked, failure=progress.CONFERENCE_REFUSED)
    if has_hung_up:
        progress.caller_gone(transfer.call, now)


def _was_in(transfer: Transfer, now: dt.datetime) -> bool:
    has_person = transfer.attempts.filter(state=AttemptState.ACCEPTED).exists()
    return has_person and transfer.seen_at is not None and now - transfer.seen_at > TALKED_AFTER
