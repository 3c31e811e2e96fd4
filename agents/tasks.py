"""Celery tasks of agents. Each may be lost or run twice: the truth is in the database."""

from __future__ import annotations

from celery import shared_task

from agents.greetings.services import greetings


@shared_task(name="agents.tasks.make_greetings", expires=60)
def make_greetings(*providers: str) -> int:
    """After an agent was published, and every few seconds for all: retries, and what a lost wake-up left."""
    return greetings.process_due(providers or None)
