"""Takes the last change of an appointment back: for ten minutes, by anybody who may make such changes."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.resources.models import Resource
from sessions.analytics.changes import note_day_change
from sessions.appointments.announcements import Announcement, announce
from sessions.appointments.models import Appointment, AppointmentEvent, AppointmentState
from sessions.moves import move_to_undo
from sessions.orders.services.submission import lock_organization
from voiceapp.core.errors import ApplicationError

from .booking import free_resources, hold_resources
from .history import change, held_by, last_event, note_move, note_state, overtaken


def undo_change(appointment: Appointment, *, event_id: int, by: str = "", now: dt.datetime | None = None) -> None:
    """Put it back to where it was before its last change, which is `event_id`. Raises ApplicationError.

    Its own time then needs no opening hours: it stood there before. Another appointment there refuses it.
    """
    with transaction.atomic():
        lock_organization(appointment.organization_id)
        appointment.refresh_from_db()
        last = move_to_undo(
            last_event(appointment),
            event_id=event_id,
            stands=lambda event: _stands(appointment, event),
            overtaken=lambda: overtaken(appointment),
            now=now or timezone.now(),
        )
        if last.moved_to is not None:
            _move_back(appointment, last, by)
        else:
            _restore_state(appointment, last, by)


def _stands(appointment: Appointment, event: AppointmentEvent) -> bool:
    is_there = event.moved_to is None or event.moved_to == appointment.starts_at
    return is_there and appointment.state == event.after


def _move_back(appointment: Appointment, last: AppointmentEvent, by: str) -> None:
    started, ended, held = appointment.starts_at, appointment.ends_at, held_by(appointment)
    change(appointment, starts_at=last.moved_from, ends_at=last.ended_before)
    free_resources(appointment)
    _hold_again(appointment, [(row[0], row[1], row[2]) for row in last.held_before])
    note_move(appointment, started=started, ended=ended, held=held, by=by, is_undo=True)
    announce(appointment, Announcement.MOVED, call=None, moved_from=started, is_undo=True)


def _restore_state(appointment: Appointment, last: AppointmentEvent, by: str) -> None:
    was_canceled = last.after == AppointmentState.CANCELED
    change(appointment, states=[AppointmentState(last.after)], state=last.before, cancel_reason="")
    note_state(appointment, before=last.after, by=by, is_undo=True)
    if was_canceled:
        held = [(row[0], row[1], row[2]) for row in held_by(appointment)]
        free_resources(appointment)
        _hold_again(appointment, held)
        announce(appointment, Announcement.BOOKED, call=None, is_undo=True)
        note_day_change(appointment.organization_id, appointment.created_at, call_id=appointment.call_id)


def _hold_again(appointment: Appointment, held: list[tuple[int, int, int]]) -> None:
    wanted = {resource_id for resource_id, _first, _end in held}
    if Resource.objects.filter(pk__in=wanted).count() < len(wanted):
        raise ApplicationError(_("Its person or bay is gone. Move it, or book another appointment."))
    try:
        hold_resources(appointment, held)
    except IntegrityError as exc:
        raise ApplicationError(
            _("Its time has been booked since. Choose another time, or book another appointment.")
        ) from exc
