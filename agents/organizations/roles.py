"""The one table of what each role may do, in the admin and over the API (docs/reference/roles.md)."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A person's role in an organization."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    STAFF = "staff", _("Staff")
    KITCHEN = "kitchen", _("Kitchen")
    VIEWER = "viewer", _("Read only")


class Area(enum.StrEnum):
    """A part of the product that is open or closed to a role as a whole."""

    ORGANIZATION = "organization"
    PEOPLE = "people"
    AUDIT = "audit"
    OWNERS = "owners"
    AGENTS = "agents"
    MENU = "menu"
    STOCK = "stock"
    NUMBERS = "numbers"
    CALLS = "calls"
    CALLER_NUMBERS = "caller_numbers"
    RECORDINGS = "recordings"
    LISTENING = "listening"
    SESSIONS = "sessions"
    ORDERS = "orders"
    APPOINTMENTS = "appointments"
    ALERTS = "alerts"
    DELIVERIES = "deliveries"
    EVENTS = "events"
    KEYS = "keys"


class Power(enum.IntEnum):
    """Each includes the ones before it.

    OPERATE is the daily work: start a call, mark items out, move orders on, send again. EDIT changes the
    configuration, and what colleagues started.
    """

    NOTHING = 0
    VIEW = 1
    OPERATE = 2
    EDIT = 3


EVERYTHING = dict.fromkeys(Area, Power.EDIT)
READING = {
    **dict.fromkeys(Area, Power.VIEW),
    Area.KEYS: Power.NOTHING,
    Area.OWNERS: Power.NOTHING,
    Area.CALLER_NUMBERS: Power.NOTHING,
    Area.LISTENING: Power.NOTHING,
    Area.AUDIT: Power.NOTHING,
}

POWERS: Mapping[Role, Mapping[Area, Power]] = {
    Role.OWNER: EVERYTHING,
    Role.MANAGER: {**EVERYTHING, Area.OWNERS: Power.NOTHING},
    Role.STAFF: {
        **READING,
        Area.PEOPLE: Power.NOTHING,
        Area.STOCK: Power.OPERATE,
        Area.CALLS: Power.OPERATE,
        Area.RECORDINGS: Power.OPERATE,
        Area.SESSIONS: Power.OPERATE,
        Area.ORDERS: Power.OPERATE,
        Area.APPOINTMENTS: Power.EDIT,
        Area.ALERTS: Power.OPERATE,
        Area.DELIVERIES: Power.OPERATE,
    },
    Role.KITCHEN: {Area.STOCK: Power.OPERATE, Area.ORDERS: Power.OPERATE},
    Role.VIEWER: READING,
}


def power_of(role: Role | None, area: Area) -> Power:
    """NOTHING for one without a role."""
    return Power.NOTHING if role is None else POWERS[role].get(area, Power.NOTHING)
