"""When an order will be ready, as the agent says it."""

from __future__ import annotations

import datetime as dt

from agents.hours.schedule import say_time
from agents.organizations.models import Organization

from .models import board_settings_of


def ready_sentence(organization: Organization, ready_at: dt.datetime | None, *, is_delivery: bool = False) -> str:
    """“It will be ready at about 7:05 pm.”; empty where no time is promised."""
    if ready_at is None:
        return ""
    what = "be with you" if is_delivery else "be ready"
    return f"It will {what} at about {say_time(ready_at.astimezone(organization.zone).time())}."


def ready_at_now(
    organization: Organization, now: dt.datetime, *, drive_minutes: int | None = None
) -> dt.datetime | None:
    """When an order will be ready that is placed now; with `drive_minutes`, when it will be at its customer's."""
    return board_settings_of(organization).ready_at(now, drive_minutes=drive_minutes or 0)


def waiting_block(organization: Organization, now: dt.datetime) -> str:
    """For the agent's instructions: how long orders take. Empty where no time is promised."""
    board = board_settings_of(organization)
    minutes = board.minutes(now)
    if minutes is None:
        return ""
    busy = " The kitchen is very busy." if board.is_busy(now) else ""
    return (
        f"## Preparation time\nAn order that is placed now is ready in about {minutes} minutes.{busy} "
        "Say so when the caller asks. The tools name the time of the caller's order: promise no other one."
    )
