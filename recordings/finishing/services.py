"""The work on a recording whose source has its whole file."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from recordings.models import Recording
from sessions.messages.outbox import outbox

FINISH = "recording.finish"
State, Step = Recording.State, Recording.Step


def enqueue_finishing(recording: Recording) -> bool:
    """The recording is over, and its source has the file or soon will. False if this is known, or it was canceled."""
    with transaction.atomic():
        new = Recording.objects.filter(pk=recording.pk, step="", peaks=None, state__in=Recording.IN_PROGRESS)
        is_due = new.update(state=State.STORING, step=Step.FETCH, ended_at=recording.ended_at or timezone.now())
        if is_due:
            outbox.enqueue(
                FINISH,
                partition_key=f"recording:{recording.pk}",
                body={"recording": recording.pk},
                organization=recording.call.organization,
            )
    return bool(is_due)
