"""Why an appointment cannot begin at a time, as people at the desk read it. Callers hear `times_said.say_obstacle`."""

from __future__ import annotations

import datetime as dt

from django.utils import formats
from django.utils.translation import gettext_lazy

from agents.resources.models import Resource, ResourceKind
from sessions.appointments.availability import SLOT, is_doubled, slot_at
from sessions.appointments.models import BookedResource
from sessions.appointments.offers import Obstacle
from sessions.appointments.queries import Calendar

IS_GONE = gettext_lazy("%(when)s is over. Choose a later time.")
IS_TOO_FAR = gettext_lazy("%(when)s is too far ahead. Choose an earlier day.")
IS_HOLIDAY = gettext_lazy("Closed on %(date)s. Choose another day.")
IS_CLOSED = gettext_lazy("%(when)s is not possible: %(service)s does not fit into our opening hours then.")
COMES_TWICE = gettext_lazy("%(when)s comes twice: the clocks are put back. Choose another time.")
OFF_GRID = gettext_lazy("Appointments begin at full five minutes. Choose another time.")
NOBODY = gettext_lazy("%(when)s is taken: no person is free then for as long as %(service)s takes.")
NO_BAY = gettext_lazy("%(when)s is taken: no bay is free then for as long as %(service)s takes.")
NEITHER = gettext_lazy("%(when)s is taken: no person and no bay are free then for as long as %(service)s takes.")
NEEDS_NO_PERSON = gettext_lazy("%(service)s needs no person. Choose a bay.")
NEEDS_NO_BAY = gettext_lazy("%(service)s needs no bay. Choose a person.")
DOES_NOT_DO_IT = gettext_lazy("%(resource)s does not do %(service)s. Choose another one.")
IS_AWAY = gettext_lazy("%(resource)s is not there at %(time)s for as long as %(service)s takes.")
HAS_ANOTHER = gettext_lazy("%(when)s is taken: %(resource)s has appointment No. %(number)d then (%(begin)s–%(end)s).")
TOO_CLOSE = gettext_lazy(
    "%(when)s is too close to appointment No. %(number)d (%(begin)s–%(end)s): %(resource)s needs the time between them."
)
HAS_NO_TIME = gettext_lazy("%(when)s is taken: %(resource)s has no time then.")


def why_not(found: Obstacle, start: dt.datetime, calendar: Calendar) -> str:
    """The sentence; it names who or what has no time, and what that one does instead."""
    local = start.astimezone(calendar.zone)
    facts: dict[str, object] = {
        "when": f"{formats.date_format(local, 'D j M')}, {local:%H:%M}",
        "date": formats.date_format(local, "D j M Y"),
        "time": f"{local:%H:%M}",
        "service": calendar.service.name,
    }
    match found:
        case Obstacle.PAST | Obstacle.TOO_SOON:
            return str(IS_GONE) % facts
        case Obstacle.TOO_FAR:
            return str(IS_TOO_FAR) % facts
        case Obstacle.HOLIDAY:
            return str(IS_HOLIDAY) % facts
        case Obstacle.CLOSED:
            return str(IS_CLOSED) % facts
        case Obstacle.OFF_GRID:
            return str(COMES_TWICE if is_doubled(local) else OFF_GRID) % facts
    if calendar.wanted is not None:
        why = _of_wanted(calendar.wanted, start, calendar, facts)
        if why:
            return why
    return _of_others(start, calendar, facts)


def _of_wanted(wanted: Resource, start: dt.datetime, calendar: Calendar, facts: dict[str, object]) -> str:
    """Empty where the wanted one has time, and the other kind has none."""
    availability, facts = calendar.availability, facts | {"resource": wanted.name}
    if wanted.kind not in availability.service.kinds:
        return str(NEEDS_NO_PERSON if wanted.kind == ResourceKind.STAFF else NEEDS_NO_BAY) % facts
    times = next((each for each in availability.resources if each.id == wanted.pk), None)
    if times is None:
        return str(DOES_NOT_DO_IT) % facts
    if not availability.is_working(times, start):
        return str(IS_AWAY) % facts
    return "" if availability.can_begin(times, start) else _what_it_does(wanted, start, calendar, facts)


def _what_it_does(wanted: Resource, start: dt.datetime, calendar: Calendar, facts: dict[str, object]) -> str:
    times, begin = calendar.availability.service, slot_at(start)
    first, end = begin - times.before, begin + times.length + times.after
    rows = BookedResource.objects.filter(resource=wanted, is_held=True, first_slot__lt=end, end_slot__gt=first)
    if calendar.without is not None:
        rows = rows.exclude(appointment=calendar.without)
    other = rows.select_related("appointment").order_by("first_slot").first()
    if other is None:
        return str(HAS_NO_TIME) % facts
    facts |= {"number": other.appointment.number}
    begins_at, ends_at = other.appointment.starts_at, other.appointment.ends_at
    facts |= {"begin": _clock(begins_at, calendar), "end": _clock(ends_at, calendar)}
    is_in_the_way = begins_at < start + times.length * SLOT and ends_at > start
    return str(HAS_ANOTHER if is_in_the_way else TOO_CLOSE) % facts


def _clock(at: dt.datetime, calendar: Calendar) -> str:
    return f"{at.astimezone(calendar.zone):%H:%M}"


def _of_others(start: dt.datetime, calendar: Calendar, facts: dict[str, object]) -> str:
    """Of which kind nobody has time."""
    availability = calendar.availability
    free = {each.kind for each in availability.resources if availability.can_begin(each, start)}
    missing = [kind for kind in availability.service.kinds if kind not in free]
    if len(missing) > 1:
        return str(NEITHER) % facts
    return str(NO_BAY if missing == [ResourceKind.BAY] else NOBODY) % facts
