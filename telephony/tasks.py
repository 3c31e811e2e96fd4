"""What the queue does for the outside line."""

from __future__ import annotations

from celery import shared_task

from recordings.services import reconcile_recordings
from telephony.services.inbox import work_off
from telephony.services.livekit_events import work_off_livekit_event
from telephony.services.lost_calls import close_lost_calls
from telephony.services.reconcile_rooms import reconcile_rooms

WORKERS = {"livekit": work_off_livekit_event}


@shared_task(name="telephony.tasks.work_off_events", expires=60)
def work_off_events() -> int:
    """Woken by an event, and every few seconds, for what a lost wake-up or a failed try left behind."""
    return work_off(WORKERS)


@shared_task(name="telephony.tasks.reap_lost_calls", expires=25)
def reap_lost_calls() -> int:
    """Every 30 s: close the calls that nobody carries any more."""
    return close_lost_calls()


@shared_task(name="telephony.tasks.reconcile_rooms", expires=25)
def reconcile_calls_in_rooms() -> int:
    """Every 30 s: learn from LiveKit what its webhooks did not tell of calls, and of recordings."""
    return reconcile_rooms() + reconcile_recordings()
