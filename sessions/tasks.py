"""What the queue does for calls and orders. Every task may be lost or run twice: the outbox holds the promise."""

from __future__ import annotations

from celery import shared_task

from sessions.realtime.services import voice_sessions

from .messages import outbox


@shared_task(name="sessions.tasks.deliver_outbox", expires=60)
def deliver_outbox(topic: str) -> int:
    """Woken by a commit: deliver what is due of one topic."""
    return outbox.deliver_due([topic])


@shared_task(name="sessions.tasks.sweep_outbox", expires=30)
def sweep_outbox() -> int:
    """Every few seconds: deliver what a lost wake-up or a failed try left behind."""
    return outbox.deliver_due()


@shared_task(name="sessions.tasks.purge_voice_sessions", expires=3000)
def purge_voice_sessions() -> int:
    """Every hour: delete the records of voice sessions that have expired."""
    return voice_sessions.purge_voice_sessions()
