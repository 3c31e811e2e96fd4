"""Celery tasks of agents. Each may be lost or run twice: the truth is in the database."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents.audit_log import retention
from agents.greetings.services import greetings
from agents.invitations.mail import invitation_mails
from voiceapp.core.batches import delete_in_batches


@shared_task(name="agents.tasks.make_greetings", expires=60)
def make_greetings(*providers: str) -> int:
    """After an agent was published, and every few seconds for all: retries, and what a lost wake-up left."""
    return greetings.process_due(providers or None)


@shared_task(name="agents.tasks.send_invitations", expires=60)
def send_invitations(*topics: str) -> int:
    """After somebody was invited, and every few seconds for all: retries, and what a lost wake-up left."""
    return invitation_mails.process_due(topics or None)


@shared_task(name="agents.tasks.purge_audit_log", expires=3000)
def purge_audit_log() -> int:
    """Every hour: delete what is older than AUDIT_LOG_DAYS."""
    return retention.purge_audit_log()


@shared_task(name="agents.tasks.purge_sign_ins", expires=3000)
def purge_sign_ins() -> int:
    """Every hour: delete the sessions of people whose sign-in has expired."""
    return delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()))
