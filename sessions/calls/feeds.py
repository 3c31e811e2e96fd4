"""Says to open pages that a call has changed (docs/reference/feeds.md)."""

from __future__ import annotations

from uuid import UUID

from voiceapp.core.feeds.announcing import announce_change


def announce_call(call_id: UUID) -> None:
    """Something was said or has happened in the call."""
    announce_change(f"call:{call_id}")


def announce_calls(organization_id: UUID | None, call_id: UUID) -> None:
    """It has begun, has ended, or makes something else: also for the list of live calls."""
    announce_call(call_id)
    if organization_id is not None:
        announce_change(f"calls:{organization_id}")
