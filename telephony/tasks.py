"""What the queue does for the outside line."""

from __future__ import annotations

from celery import shared_task

from telephony.services.lost_calls import close_lost_calls


@shared_task(name="telephony.tasks.reap_lost_calls", expires=25)
def reap_lost_calls() -> int:
    """Every 30 s: close the calls that nobody carries any more."""
    return close_lost_calls()
