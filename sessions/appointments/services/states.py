"""Whether the customer has arrived, was served, or did not come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions.appointments.models import Appointment, AppointmentState
from voiceapp.core.errors import ApplicationError

from .history import Changed, change, note_state, overtaken

# What may come before a state that a person sets; cancel_appointment cancels.
BEFORE: Mapping[AppointmentState, Collection[AppointmentState]] = {
    AppointmentState.ARRIVED: (AppointmentState.BOOKED, AppointmentState.NO_SHOW),
    AppointmentState.DONE: (AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.NO_SHOW),
    AppointmentState.NO_SHOW: (AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.DONE),
}
# Who comes earlier than this comes for another reason.
EARLIEST = dt.timedelta(hours=12)


def may_become(appointment: Appointment, state: AppointmentState, now: dt.datetime) -> bool:
    """A customer may come early; whether it took place is known after it began."""
    early = EARLIEST if state == AppointmentState.ARRIVED else dt.timedelta(0)
    return appointment.state in BEFORE[state] and appointment.starts_at - early <= now


def close_appointment(appointment: Appointment, state: AppointmentState, *, by: str = "", seen: str = "") -> None:
    """Note that the customer has arrived, was served or did not come. `seen`: the state that the person saw.

    Raises ApplicationError, with a sentence that says who was faster.
    """
    with transaction.atomic():
        current = Appointment.objects.select_for_update().get(pk=appointment.pk)
        before = current.state
        if seen and before != seen:
            raise Changed(overtaken(appointment))
        if not may_become(current, state, timezone.now()):
            raise ApplicationError(
                _("%(appointment)s cannot become “%(state)s” now. Reload the page.")
                % {"appointment": appointment, "state": state.label}
            )
        change(appointment, seen=current.version, states=BEFORE[state], state=state)
        note_state(appointment, before=before, by=by)
