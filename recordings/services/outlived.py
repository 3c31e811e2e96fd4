"""Work for recordings that waits in the outbox although its call is over."""

from __future__ import annotations

from django.utils import timezone

from recordings.models import Recording
from sessions.models import Call, OutboxMessage

from .undoing import UNDO
from .wanted import START

MOST_AT_ONCE = 200


def hurry_what_outlived_its_call() -> int:
    """Make due now what would be tried later for a call that is over: its handler ends it. How many there were."""
    now = timezone.now()
    later = OutboxMessage.objects.filter(topic__in=(START, UNDO), state=OutboxMessage.State.WAITING, due_at__gt=now)
    by_recording = {message.body.get("recording"): message.pk for message in later.order_by("id")[:MOST_AT_ONCE]}
    outlived = Recording.objects.filter(pk__in=by_recording).exclude(call__in=Call.objects.live())
    ids = [by_recording[pk] for pk in outlived.values_list("pk", flat=True)]
    return OutboxMessage.objects.filter(pk__in=ids, state=OutboxMessage.State.WAITING).update(due_at=now)
