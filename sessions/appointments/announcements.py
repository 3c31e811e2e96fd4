"""The one place that announces an appointment as booked, moved or canceled."""

from __future__ import annotations

import datetime as dt
import enum

from sessions.appointments.calendars.services.outgoing import enqueue_calendar_updates
from sessions.calls.models import Call
from sessions.calls.services import record_event
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event
from sessions.messages.texts.kinds import TextKind

from .models import Appointment
from .serializers import AppointmentBody
from .texts import text_customer
from .wording import written


class Announcement(enum.StrEnum):
    """The `type` of the webhook."""

    BOOKED = WebhookEvent.APPOINTMENT_BOOKED.value
    MOVED = WebhookEvent.APPOINTMENT_MOVED.value
    CANCELED = WebhookEvent.APPOINTMENT_CANCELED.value


TEXT_KINDS = {
    Announcement.BOOKED: TextKind.APPOINTMENT_CONFIRMATION,
    Announcement.MOVED: TextKind.APPOINTMENT_MOVED,
    Announcement.CANCELED: TextKind.APPOINTMENT_CANCELED,
}


def announce(
    appointment: Appointment,
    what: Announcement,
    *,
    call: Call | None,
    moved_from: dt.datetime | None = None,
    is_undo: bool = False,
) -> None:
    """Inform the organization's webhook and calendars, the customer and the call's timeline, in the same transaction.

    `call` is the one on which it happened, if it was one. Messages about an appointment are delivered in order.
    """
    body = AppointmentBody(appointment).data
    if moved_from is not None:
        body["movedFrom"] = f"{moved_from.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    announce_event(
        WebhookEvent(what.value),
        organization_id=appointment.organization_id,
        about=f"appointment:{appointment.pk}",
        data=lambda: body,
    )
    enqueue_calendar_updates(appointment)
    if call is not None:
        at = written(appointment.starts_at, appointment.organization.zone)
        detail = {"number": appointment.number, "service": appointment.service_name, "at": at}
        record_event(call.pk, what.replace(".", "_"), detail)
    if moved_from != appointment.starts_at:  # else it has other resources only: nothing that a customer must know
        text_customer(appointment, TEXT_KINDS[what], call=call, is_undo=is_undo)
