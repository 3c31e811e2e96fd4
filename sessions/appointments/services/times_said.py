"""Turns a caller's words into a time that can be booked, or into a sentence with the nearest ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from agents.catalog.models import Service
from agents.hours.local_time import MONTH_FIRST
from agents.hours.schedule import say_time
from agents.organizations.models import Organization
from sessions.appointments.models import Appointment
from sessions.appointments.offers import Obstacle, Proposal, obstacle, propose
from sessions.appointments.queries import Calendar, load_calendar
from sessions.appointments.wishes import DoubledTime, NotUnderstood, SkippedTime, Wish, read_wish
from sessions.appointments.wording import say_date, say_start, say_starts
from sessions.orders.draft import Refused

WHEN = "Which day and time would you like?"
# Looked at first; only if nothing is free there, the whole bookable time is.
LOOK_BACK = dt.timedelta(days=7)
LOOK_AHEAD = dt.timedelta(days=21)
GRIDS = {5: "five minutes", 10: "ten minutes", 15: "quarter of an hour", 20: "twenty minutes", 30: "half hour",
         60: "hour"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offered:
    """Free times near a wish, and the sentence that offers them."""

    say: str
    starts: tuple[dt.datetime, ...]
    suits: bool


def wish_of(organization: Organization, text: str, now: dt.datetime) -> Wish:
    """Raises Refused with a question."""
    try:
        return read_wish(text, now=now, zone=organization.zone, is_month_first=organization.region in MONTH_FIRST)
    except NotUnderstood as exc:
        raise Refused(f"I did not understand “{str(exc)[:60]}” as a day or a time. {WHEN}") from exc


def offer_times(
    organization: Organization, service: Service, wish: Wish, now: dt.datetime, *, without: Appointment | None = None
) -> Offered:
    """The times to offer for a wish; of an exact one also why it is not possible, if it is not."""
    calendar, proposal = _proposal(organization, service, wish, now, without)
    if not proposal.starts:
        return Offered(_nothing_free(service, calendar), (), suits=False)
    said = say_starts(proposal.starts, now, calendar.zone)
    if proposal.suits:
        return Offered(f"I have {said}.", proposal.starts, suits=True)
    why = _why_not(wish, calendar, service) if wish.is_exact else "I have nothing free then."
    return Offered(f"{why} The nearest I have is {said}.", proposal.starts, suits=False)


def exact_start(
    organization: Organization, service: Service, text: str, now: dt.datetime, *, without: Appointment | None = None
) -> dt.datetime:
    """The one bookable time that the words name; raises Refused with the reason and other times."""
    wish = wish_of(organization, text, now)
    if wish.is_exact:
        try:
            instants = wish.instants(organization.zone)
        except (SkippedTime, DoubledTime):
            instants = []
        if instants:
            first, last = instants[0], instants[-1]
            calendar = load_calendar(organization, service, now, first=first, last=last, without=without)
            for start in instants:
                if obstacle(start, calendar.availability, calendar.period, calendar.zone) is None:
                    return start
    offered = offer_times(organization, service, wish, now, without=without)
    question = "" if not offered.suits else " Which time would you like?"
    raise Refused(f"{offered.say}{question}")


def say_obstacle(found: Obstacle, start: dt.datetime, calendar: Calendar) -> str:
    """Why the service cannot begin then, as a sentence."""
    service, zone, now = calendar.service, calendar.zone, calendar.period.now
    said, today = say_start(start, now, zone), now.astimezone(zone).date()
    match found:
        case Obstacle.PAST:
            return f"{_capital(said)} is over."
        case Obstacle.TOO_SOON:
            earliest = say_start(calendar.period.earliest, now, zone)
            return f"{_capital(said)} is too soon: we need to know before, so that I can book from {earliest} on."
        case Obstacle.TOO_FAR:
            latest = calendar.period.latest.astimezone(zone).date()
            return f"{_capital(said)} is too far ahead: I can book until {say_date(latest, today)}."
        case Obstacle.HOLIDAY:
            return f"We are closed on {say_date(start.astimezone(zone).date(), today)}."
        case Obstacle.CLOSED:
            return f"{_capital(said)} is not possible: {service.name} does not fit into our opening hours then."
        case Obstacle.OFF_GRID:
            return f"Appointments for {service.name} begin every {GRIDS[service.grid_minutes]}."
    return f"{_capital(said)} is taken."


def _proposal(
    organization: Organization, service: Service, wish: Wish, now: dt.datetime, without: Appointment | None
) -> tuple[Calendar, Proposal]:
    first, last = wish.bounds(now.astimezone(organization.zone).date(), organization.zone)
    near = load_calendar(organization, service, now, first=first - LOOK_BACK, last=last + LOOK_AHEAD, without=without)
    proposal = propose(wish, near.availability.starts(), now=now, zone=near.zone)
    if proposal.starts:
        return near, proposal
    whole = load_calendar(organization, service, now, without=without)
    return whole, propose(wish, whole.availability.starts(), now=now, zone=whole.zone)


def _why_not(wish: Wish, calendar: Calendar, service: Service) -> str:
    day, clock = wish.days[0], wish.clocks[0]
    today = calendar.period.now.astimezone(calendar.zone).date()
    try:
        instants = wish.instants(calendar.zone)
    except SkippedTime:
        return f"{say_time(clock)} does not exist on {say_date(day, today)}: the clocks are put forward."
    except DoubledTime:
        return f"{say_time(clock)} comes twice on {say_date(day, today)}: the clocks are put back."
    found = {
        start: obstacle(start, calendar.availability, calendar.period, calendar.zone) or Obstacle.TAKEN
        for start in instants
    }
    # Of “at three” the reading that is a usual time of work.
    likely = next((start for start in instants if found[start] is not Obstacle.CLOSED), instants[0])
    return say_obstacle(found[likely], likely, calendar)


def _nothing_free(service: Service, calendar: Calendar) -> str:
    if not calendar.availability.resources:
        return f"{service.name} cannot be booked on the phone."
    return f"I have nothing free for {service.name} in the next {service.days_ahead} days."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
