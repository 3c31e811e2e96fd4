"""What a garage hangs up for an appointment: its webhook as text."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from typing import Any

_WIDTH = 42
_TITLES = {"appointment.booked": "APPOINTMENT", "appointment.moved": "MOVED", "appointment.canceled": "CANCELED"}


def appointment_card(post: Mapping[str, Any]) -> str:
    """From the body of a webhook. Raises KeyError, TypeError or ValueError if it is not an appointment's."""
    appointment: Mapping[str, Any] = post["data"]
    zone = zoneinfo.ZoneInfo(appointment["timeZone"])
    start, end = (dt.datetime.fromisoformat(appointment[name]).astimezone(zone) for name in ("startsAt", "endsAt"))
    customer = f"{appointment['customerName']} {appointment.get('customerNumber') or ''}".strip()
    rows = [
        "=" * _WIDTH,
        f"{_TITLES[post['type']]} {appointment['number']}",
        f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}",
        str(appointment["service"]),
        ", ".join(str(each["name"]) for each in appointment["resources"]),
        customer,
    ]
    rows += [str(appointment[name]) for name in ("vehicle", "note", "cancelReason") if appointment.get(name)]
    return "\n".join([*rows, "=" * _WIDTH])
