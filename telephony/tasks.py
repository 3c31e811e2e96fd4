"""What the queue does for the outside line."""

from __future__ import annotations

from celery import shared_task

from recordings.services.reconciling import reconcile_recordings
from telephony.livekit.events import work_off_livekit_event
from telephony.livekit.inbox import work_off
from telephony.livekit.reconciliation import reconcile_rooms
from telephony.twilio.services.lost_calls import close_lost_calls

WORKERS = {"livekit": work_off_livekit_event}


@shared_task(name="telephony.tasks.work_off_events", expires=60)
def work_off_events() -> int:
    """Woken by an event, and every few seconds, for what a lost wake-up or a failed try left behind."""
    return work_off(WORKERS)


@shared_task(name="telephony.tasks.reap_lost_calls", expires=25)
def reap_lost_calls() -> int:
    """Every 30 s: close the calls that nobody carries any more."""
    return close_lost_calls()


@shared_task(name="telephony.tasks.reconcile_rooms", expires=5)
def reconcile_calls_in_rooms() -> int:
    """Every 5 s: learn from LiveKit what its webhooks did not report of calls."""
    return reconcile_rooms()


@shared_task(name="telephony.tasks.catch_up_with_rooms", expires=60)
def catch_up_with_rooms() -> int:
    """Asked for by a web process that starts: look into every room, for events were dropped while none answered."""
    return reconcile_rooms(is_everything=True) + reconcile_recordings()


@shared_task(name="telephony.tasks.reconcile_recordings", expires=25)
def reconcile_recordings_of_rooms() -> int:
    """Every 30 s: learn from LiveKit what its webhooks did not report of recordings."""
    return reconcile_recordings()
