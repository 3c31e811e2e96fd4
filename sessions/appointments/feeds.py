"""Tells the open day plans of an organization that something has changed."""

from __future__ import annotations

from uuid import UUID

from voiceapp.core.feeds.announcing import announce_change


def topic_of(organization_id: UUID) -> str:
    return f"appointments:{organization_id}"


def announce_appointments(organization_id: UUID) -> None:
    """In the transaction that books or changes an appointment."""
    announce_change(topic_of(organization_id))
