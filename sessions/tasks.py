"""Celery tasks of calls and orders. Each may be lost or run twice: the outbox in the database is the truth."""

from __future__ import annotations

from celery import shared_task

from sessions.alerts.services.evaluating import evaluate_due
from sessions.alerts.services.handling import purge_alerts as purge_resolved_alerts
from sessions.analytics import services as analytics
from sessions.analytics.changes import recounts
from sessions.appointments.calendars.services.schedule import read_due_calendars
from sessions.calls import commands, passed_messages
from sessions.messages.endpoints.services.endpoints import purge_attempts
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.realtime.services import voice_sessions
from sessions.visitors import services as visitors
from voiceapp.core.jobs.retention import purge_jobs


@shared_task(name="sessions.tasks.deliver_outbox", expires=60)
def deliver_outbox(topic: str) -> int:
    """After a message was enqueued: send what is due of its topic."""
    return outbox.process_due([topic])


@shared_task(name="sessions.tasks.sweep_outbox", expires=30)
def sweep_outbox() -> int:
    """Every few seconds: retries, and what a lost wake-up left behind."""
    return outbox.process_due()


@shared_task(name="sessions.tasks.count_changed_days", expires=30)
def count_changed_days(*topics: str) -> int:
    """Every few seconds: count the figures of days again on which something has changed."""
    return recounts.process_due()


@shared_task(name="sessions.tasks.keep_days_counted", expires=3000)
def keep_days_counted() -> int:
    """Every hour: have days counted whose changes nobody noted, such as those before an upgrade."""
    return analytics.keep_counted()


@shared_task(name="sessions.tasks.evaluate_alerts", expires=55)
def evaluate_alerts() -> int:
    """Every minute: the rules of all organizations, and what becomes of their alerts."""
    return evaluate_due()


@shared_task(name="sessions.tasks.purge_alerts", expires=3000)
def purge_alerts() -> int:
    """Every hour: delete alerts that have been over for long."""
    return purge_resolved_alerts()


@shared_task(name="sessions.tasks.read_calendars", expires=15)
def read_calendars() -> int:
    """Every few seconds, and when a caller asks for a time: read the connected calendars that are due."""
    return read_due_calendars()


@shared_task(name="sessions.tasks.purge_voice_sessions", expires=3000)
def purge_voice_sessions() -> int:
    """Every hour: delete the records of voice sessions that have expired."""
    return voice_sessions.purge_voice_sessions()


@shared_task(name="sessions.tasks.purge_visitor_calls", expires=3000)
def purge_visitor_calls() -> int:
    """Every hour: delete what visitors' calls of past days have reserved."""
    return visitors.purge_visitor_calls()


@shared_task(name="sessions.tasks.purge_passed_messages", expires=3000)
def purge_passed_messages() -> int:
    """Every hour: delete what pages said to calls that ended before it arrived."""
    return passed_messages.purge_passed_messages() + commands.purge_commands()


@shared_task(name="sessions.tasks.purge_outbox", expires=3000)
def purge_outbox() -> int:
    """Every hour: delete old messages that were delivered, or that nobody wants."""
    return purge_jobs(OutboxMessage)


@shared_task(name="sessions.tasks.purge_webhook_attempts", expires=3000)
def purge_webhook_attempts() -> int:
    """Every hour: delete old attempts from the log of webhook deliveries."""
    return purge_attempts()
