"""Who changed an appointment and how; and that nobody changes what somebody else has changed first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from agents.hours.local_time import when
from sessions.appointments.feeds import announce_appointments
from sessions.appointments.models import OPEN_STATES, Appointment, AppointmentEvent, AppointmentState
from sessions.moves import LONGEST_REASON
from voiceapp.core.errors import ApplicationError

BY_AGENT = "agent"
LONGEST_RESOURCES = 200


class Changed(ApplicationError):
    """Somebody else changed it first; nothing was changed."""

    message = "The appointment has been changed meanwhile. Reload the page."


def change(
    appointment: Appointment,
    *,
    seen: int | None = None,
    states: Collection[AppointmentState] = OPEN_STATES,
    **values: object,
) -> None:
    """A guarded update: it is in one of the states, and its version is the one that was `seen`. Raises Changed."""
    version = appointment.version if seen is None else seen
    rows = Appointment.objects.filter(pk=appointment.pk, version=version, state__in=states)
    if not rows.update(version=F("version") + 1, updated_at=timezone.now(), **values):
        raise Changed(overtaken(appointment))
    appointment.refresh_from_db()
    announce_appointments(appointment.organization_id)


def note_state(appointment: Appointment, *, before: str, by: str, reason: str = "", is_undo: bool = False) -> None:
    """Its state is another one now."""
    AppointmentEvent.objects.create(
        appointment=appointment,
        before=before,
        after=appointment.state,
        by=by,
        reason=reason[:LONGEST_REASON],
        is_undo=is_undo,
    )


def note_move(
    appointment: Appointment,
    *,
    started: dt.datetime,
    ended: dt.datetime,
    held: Sequence[Sequence[int]],
    by: str,
    is_undo: bool = False,
) -> None:
    """It begins at another time, or has other resources. `held`: those before, as `held_by` returns them."""
    names = ", ".join(appointment.resources.order_by("booked__id").values_list("name", flat=True))
    AppointmentEvent.objects.create(
        appointment=appointment,
        before=appointment.state,
        after=appointment.state,
        by=by,
        moved_from=started,
        moved_to=appointment.starts_at,
        ended_before=ended,
        held_before=list(held),
        resources=names[:LONGEST_RESOURCES],
        is_undo=is_undo,
    )


def held_by(appointment: Appointment) -> list[list[int]]:
    """Resource, first and end slot of each that it has."""
    rows = appointment.booked.order_by("pk").values_list("resource_id", "first_slot", "end_slot")
    return [list(row) for row in rows]


def last_event(appointment: Appointment) -> AppointmentEvent | None:
    return appointment.events.order_by("-id").first()


def who_changed(event: AppointmentEvent, now: dt.datetime | None = None) -> str:
    """“Mia moved it to 10:30 (Tom, Bay 1) at 09:12”, as the other one reads it."""
    zone = event.appointment.organization.zone
    today = (now or timezone.now()).astimezone(zone).date()

    def clock(at: dt.datetime) -> str:
        local = at.astimezone(zone)
        return f"{local:%H:%M}" if local.date() == today else when(at, zone)

    facts = {"who": person_of(event.by), "at": clock(event.at), "resources": event.resources}
    if event.moved_to is not None:
        sentence = _("%(who)s put it back to %(start)s (%(resources)s) at %(at)s") if event.is_undo else _(
            "%(who)s moved it to %(start)s (%(resources)s) at %(at)s"
        )  # fmt: skip
        return sentence % (facts | {"start": clock(event.moved_to)})
    if event.is_undo:
        state = AppointmentState(event.after).label
        return _("%(who)s put it back to “%(state)s” at %(at)s") % (facts | {"state": state})
    return str(DONE_TO_IT[event.after]) % facts


DONE_TO_IT: Mapping[str, str | Promise] = {
    AppointmentState.BOOKED: gettext_lazy("%(who)s booked it at %(at)s"),
    AppointmentState.ARRIVED: gettext_lazy("%(who)s noted at %(at)s that the customer has arrived"),
    AppointmentState.DONE: gettext_lazy("%(who)s marked it as done at %(at)s"),
    AppointmentState.NO_SHOW: gettext_lazy("%(who)s noted at %(at)s that the customer did not come"),
    AppointmentState.CANCELED: gettext_lazy("%(who)s canceled it at %(at)s"),
}


def person_of(by: str) -> str:
    """How people call who did it."""
    if by == BY_AGENT:
        return pgettext("who changed an appointment", "The agent")
    return by or _("Somebody")


def overtaken(appointment: Appointment) -> str:
    """What became of it meanwhile, and by whom."""
    current = Appointment.objects.select_related("organization").get(pk=appointment.pk)
    last = last_event(current)
    if last is None:
        return Changed.message
    last.appointment = current
    return _("%(what)s. Look at it again, then decide.") % {"what": who_changed(last)}
