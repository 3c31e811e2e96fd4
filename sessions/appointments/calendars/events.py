"""An appointment as an event: the same texts in a feed and in a connected calendar."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from agents.resources.models import Resource
from sessions.appointments.models import Appointment, AppointmentState
from voiceapp.core.ical.writing import CalendarEvent
from voiceapp.core.phones.numbers import show_number

# In a connected calendar the resource is part of it: two resources may share one calendar.
OWN_UID = re.compile(r"(?P<appointment>[0-9a-f]{32})(?:\.(?P<resource>[0-9]{1,18}))?@voiceapp")


def uid_of(appointment: Appointment, resource_id: int | None = None) -> str:
    """The same for ever, whatever becomes of the appointment."""
    return f"{appointment.pk.hex}{'' if resource_id is None else f'.{resource_id}'}@voiceapp"


def appointment_id_of(uid: str) -> uuid.UUID | None:
    """Of an event that has a UID of ours."""
    read = OWN_UID.fullmatch(uid)
    return uuid.UUID(read["appointment"]) if read else None


def event_of(
    appointment: Appointment, *, resources: Iterable[Resource], shows_customer: bool, resource_id: int | None = None
) -> CalendarEvent:
    customer = appointment.customer_name if shows_customer else ""
    return CalendarEvent(
        uid=uid_of(appointment, resource_id),
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        summary=f"{appointment.service_name}: {customer}" if customer else appointment.service_name,
        description="\n".join(_lines(appointment, resources, shows_customer=shows_customer)),
        sequence=appointment.version - 1,
        created_at=appointment.created_at,
        changed_at=appointment.updated_at,
        is_canceled=appointment.state == AppointmentState.CANCELED,
    )


def _lines(appointment: Appointment, resources: Iterable[Resource], *, shows_customer: bool) -> list[str]:
    facts = [("With", ", ".join(str(resource) for resource in resources))]
    if shows_customer:
        facts += [
            ("Customer", appointment.customer_name),
            ("Phone", show_number(str(appointment.customer_number)) if appointment.customer_number else ""),
            ("Vehicle", appointment.vehicle),
            ("Note", appointment.note),
        ]
    return [f"Appointment {appointment.number}", *(f"{label}: {text}" for label, text in facts if text)]
