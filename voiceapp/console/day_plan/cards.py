"""What the day plan shows: the day with its columns, and a card per appointment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import formats, timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.hours.schedule import ONE_DAY
from agents.organizations.models import Organization
from sessions.appointments.days import MOST_SHOWN, Day, DayPlan, Minutes, Stretch, read_day_plan
from sessions.appointments.models import OPEN_STATES, Appointment, AppointmentEvent, AppointmentState
from sessions.appointments.services.history import person_of, who_changed
from sessions.appointments.services.states import may_become
from sessions.messages.texts.services.checking import number_of
from sessions.moves import UNDO_WITHIN
from voiceapp.core.feeds.streaming import Event
from voiceapp.core.phones.numbers import mask, read_caller

State = AppointmentState
ICONS: Mapping[str, str] = {
    State.BOOKED: "clock",
    State.ARRIVED: "person",
    State.DONE: "done",
    State.NO_SHOW: "absent",
    State.CANCELED: "block",
}
IDLE: Mapping[str, str | Promise] = {
    "closed": gettext_lazy("Closed"),
    "off": gettext_lazy("Not working"),
    "away": gettext_lazy("Away"),
    "busy": gettext_lazy("Busy in the calendar"),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the people have in common who look at the same plan."""

    organization_id: UUID
    date: dt.date
    language: str
    operates: bool
    edits: bool
    sees_numbers: bool

    @property
    def shared_as(self) -> str:
        rights = f"{self.operates}:{self.edits}:{self.sees_numbers}"
        return f"appointments:{self.organization_id}:{self.date}:{self.language}:{rights}"


@dataclass(frozen=True, slots=True)
class Note:
    """A button that notes whether the customer came."""

    to: AppointmentState
    label: str | Promise
    icon: str


NOTES = (
    Note(State.ARRIVED, gettext_lazy("Arrived"), ICONS[State.ARRIVED]),
    Note(State.DONE, gettext_lazy("Done"), ICONS[State.DONE]),
    Note(State.NO_SHOW, gettext_lazy("No-show"), ICONS[State.NO_SHOW]),
)


def read_plan(viewer: Viewer, changed: frozenset[str] = frozenset()) -> list[Event]:
    """An event per appointment, then the one that says which there are, and what the day is like."""
    organization = Organization.objects.get(pk=viewer.organization_id)
    with translation.override(viewer.language):
        plan, now = read_day_plan(organization, viewer.date), timezone.now()
        names = {column.resource.pk: column.resource.name for column in plan.columns}
        cards = [
            Event("appointment", _card(each, viewer, plan.day, names, now), id=str(each.pk))
            for each in plan.appointments
        ]
        return [*cards, Event("plan", _plan(plan, organization, now))]


def _plan(plan: DayPlan, organization: Organization, now: dt.datetime) -> dict[str, object]:
    day, (first, end) = plan.day, plan.shown()
    return {
        "appointments": [str(each.pk) for each in plan.appointments],
        "title": title_of(day.date, now.astimezone(day.zone).date()),
        "hours": _hours(plan),
        "beginsAt": int(day.begins_at.timestamp()),
        "length": day.length,
        "first": first,
        "end": end,
        "marks": [[minute, name] for minute, name in day.hours() if first <= minute < end],
        "columns": [
            {
                "id": column.resource.pk,
                "name": column.resource.name,
                "kind": column.resource.kind,
                "kindName": column.resource.get_kind_display(),
                "idle": [_idle(each) for each in column.stretches],
            }
            for column in plan.columns
        ],
        "isFull": len(plan.appointments) >= MOST_SHOWN,
    }


def _idle(stretch: Stretch) -> list[object]:
    name = str(IDLE[stretch.kind])
    return [stretch.begin, stretch.end, f"{name}: {stretch.note}" if stretch.note else name]


def title_of(date: dt.date, today: dt.date) -> str:
    """“Today, Fri 4 Dec 2026”"""
    near = {today: _("Today"), today + ONE_DAY: _("Tomorrow"), today - ONE_DAY: _("Yesterday")}.get(date, "")
    written = formats.date_format(date, "DATE_FORMAT")
    return f"{near}, {written}" if near else written


def _hours(plan: DayPlan) -> str:
    """“Open 08:00–12:00, 13:00–18:00”, or that it is closed, and why; and what is special about its clock."""
    day = plan.day
    sentences = []
    if plan.opens == [(0, day.length)]:
        sentences.append(_("Open all day."))
    elif plan.opens:
        sentences.append(_("Open %(spans)s.") % {"spans": ", ".join(_span(each, day) for each in plan.opens)})
    elif plan.closed_note:
        sentences.append(_("Closed: %(note)s.") % {"note": plan.closed_note.rstrip(".")})
    else:
        sentences.append(_("Closed on this day."))
    if day.length < 24 * 60:
        sentences.append(_("The clocks are put forward on this day."))
    elif day.length > 24 * 60:
        sentences.append(_("The clocks are put back on this day."))
    return " ".join(sentences)


def _span(minutes: Minutes, day: Day) -> str:
    begin, end = (day.begins_at + dt.timedelta(minutes=each) for each in minutes)
    return f"{_clock(begin, day)}–{_clock(end, day) if minutes[1] < day.length else '24:00'}"


def _card(
    appointment: Appointment, viewer: Viewer, day: Day, names: Mapping[int, str], now: dt.datetime
) -> dict[str, object]:
    begin, end = day.within(appointment.starts_at, appointment.ends_at)
    held = [row.resource_id for row in appointment.booked.all()]
    changes = _changes(appointment, viewer, now)
    undo = changes["undo"]
    context = {
        "appointment": appointment,
        "icon": ICONS[appointment.state],
        "times": _times(appointment, day),
        "customer_number": _number(appointment, viewer),
        "resources": ", ".join(names[each] for each in held if each in names),
        "booked_by": person_of(appointment.made_by),
        **changes,
        "notes": [each for each in NOTES if viewer.operates and may_become(appointment, each.to, now)],
        "edits": viewer.edits and appointment.state in OPEN_STATES,
    }
    return {
        "face": render_to_string("admin/day_plan/face.html", context),
        "details": render_to_string("admin/day_plan/details.html", context),
        "number": appointment.number,
        "name": appointment.customer_name,
        "version": appointment.version,
        "state": appointment.state,
        "begin": begin,
        "end": end,
        "isCut": appointment.starts_at < day.begins_at,
        "date": f"{appointment.starts_at.astimezone(day.zone):%Y-%m-%d}",
        "time": f"{appointment.starts_at.astimezone(day.zone):%H:%M}",
        "columns": held if appointment.state != State.CANCELED else [],
        "undo": undo.pk if isinstance(undo, AppointmentEvent) else None,
        "isMovable": bool(context["edits"]) and appointment.service is not None,
    }


def _changes(appointment: Appointment, viewer: Viewer, now: dt.datetime) -> dict[str, object]:
    """Who changed it last, and the change that can be undone."""
    events = list(appointment.events.all())
    last = events[-1] if events else None
    if last is None:
        return {"last": "", "undo": None}
    last.appointment = appointment
    return {
        "last": who_changed(last, now),
        "undo": last if may_undo(last, viewer) and now - last.at < UNDO_WITHIN else None,
        "undo_until": int((last.at + UNDO_WITHIN).timestamp()),
    }


def may_undo(event: AppointmentEvent, viewer: Viewer) -> bool:
    """Who may make such a change may take it back."""
    is_note = event.moved_to is None and State.CANCELED not in (event.before, event.after)
    is_last = not event.is_undo and event.after == event.appointment.state
    return is_last and (viewer.operates if is_note else viewer.edits)


def _times(appointment: Appointment, day: Day) -> str:
    """“09:00–09:45”, with the date of a beginning or an end that is on another day."""
    return f"{_clock(appointment.starts_at, day)}–{_clock(appointment.ends_at, day)}"


def _clock(at: dt.datetime, day: Day) -> str:
    local = at.astimezone(day.zone)
    is_here = local.date() == day.date
    return f"{local:%H:%M}" if is_here else f"{formats.date_format(local, 'D j M')} {local:%H:%M}"


def _number(appointment: Appointment, viewer: Viewer) -> str:
    """What the customer left, or called from."""
    number = read_caller(appointment.customer_number).number
    if not number and appointment.call is not None:
        number = number_of(appointment.call)
    return number if viewer.sees_numbers or not number else mask(number)
