"""Reads what people enter at the day plan. Each refusal is a sentence that says what to enter."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.organizations.models import Organization
from agents.resources.models import Resource
from sessions.appointments.services.by_hand import local_start
from voiceapp.console.boards import number_of
from voiceapp.core.errors import ApplicationError
from voiceapp.core.plain_text import validate_line

# Far from the ends of what dates can express: neighbors and zones are computed with them.
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)


def date_of(request: HttpRequest, organization: Organization) -> dt.date:
    """The day of the address; today for none, and for what is no day."""
    return read_date(request.GET.get("day", "")) or timezone.now().astimezone(organization.zone).date()


def read_date(text: str) -> dt.date | None:
    """As browsers send one."""
    try:
        date = dt.datetime.strptime(text[:10], "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
    return date if FIRST <= date <= LAST else None


def entered_start(request: HttpRequest, organization: Organization) -> dt.datetime:
    """Where it was dropped (`start`, seconds of the epoch), or the day and the time of a form."""
    dropped = request.POST.get("start", "")
    if dropped:
        seconds = number_of(dropped)
        if not seconds or not FIRST < dt.date.fromordinal(719_163 + min(seconds // 86_400, 10**6)) < LAST:
            raise ApplicationError(_("The page is out of date. Reload it."))
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    date = read_date(request.POST.get("day", ""))
    if date is None:
        raise ApplicationError(_("Enter the day like 2026-12-24."))
    try:
        clock = dt.datetime.strptime(request.POST.get("time", "")[:5], "%H:%M").time()  # noqa: DTZ007 - a time of day has none
    except ValueError as exc:
        raise ApplicationError(_("Enter the time like 17:30.")) from exc
    return local_start(organization, date, clock)


def entered_resource(request: HttpRequest, organization: Organization) -> Resource | None:
    """None: whoever is free."""
    chosen = request.POST.get("resource", "")
    if not chosen:
        return None
    resource = Resource.objects.filter(organization=organization, pk=number_of(chosen)).first()
    if resource is None:
        raise ApplicationError(_("This person or bay is no longer there. Reload the page."))
    return resource


def required_line_of(request: HttpRequest, name: str, label: str, *, longest: int) -> str:
    """Like `line_of`, and not empty."""
    line = line_of(request, name, label, longest=longest)
    if not line:
        raise ApplicationError(_("Enter something for “%(label)s”.") % {"label": label})
    return line


def line_of(request: HttpRequest, name: str, label: str, *, longest: int) -> str:
    """A line of visible characters. Raises ApplicationError."""
    line = request.POST.get(name, "").strip()
    if len(line) > longest:
        message = _("“%(label)s” may have %(longest)d characters at most.")
        raise ApplicationError(message % {"label": label, "longest": longest})
    try:
        validate_line(line)
    except ValidationError as exc:
        raise ApplicationError(f"{label}: {exc.messages[0]}") from exc
    return line
