"""Tells the open order boards of an organization that something has changed."""

from __future__ import annotations

from uuid import UUID

from voiceapp.core.feeds.announcing import announce_change


def topic_of(organization_id: UUID) -> str:
    return f"orders:{organization_id}"


def announce_orders(organization_id: UUID) -> None:
    """In the transaction that changes an order, its alarm or the board."""
    announce_change(topic_of(organization_id))
