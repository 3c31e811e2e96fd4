"""The dashboard: today's figures, and what needs attention. Each figure links to the rows it counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext

from agents.catalog.admin.stock import stock_status
from agents.catalog.models import Item
from agents.hours.local_time import when_of
from agents.organizations.access import Access, access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.organizations.trades import Trade
from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.admin.display import CALL_COLORS, end_reason_text, median_ms, response_text
from sessions.calls.models import ANSWERED, LIVE_STATES, Call, CallState, Turn
from sessions.orders.models import VOID_STATES, Order

from .attention import Notice, notices
from .calendar_notices import calendar_notices
from .local_days import LocalDays, day_before, link

DAYS = 14
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    hint: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Day:
    """Heights in hundredths of the picture: answered at the bottom, missed on top of it."""

    label: str
    description: str
    url: str
    answered_height: int
    missed_height: int

    @property
    def answered_y(self) -> int:
        return 100 - self.answered_height

    @property
    def missed_y(self) -> int:
        return 100 - self.answered_height - self.missed_height


@dataclass(slots=True)
class Dashboard:
    organizations: bool
    tiles: list[Tile] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    recent: list[dict[str, Any]] = field(default_factory=list)
    unavailable_items: list[dict[str, Any]] = field(default_factory=list)


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold calls this for the index page."""
    access = access_of(request)
    board = Dashboard(organizations=access.sees_all or bool(access.roles))
    days = LocalDays.of(request, timezone.now())
    if access.may(Area.CALLS, Power.VIEW):
        board.tiles += call_tiles(access, days)
        board.days = last_days(access, days)
        board.recent = recent_calls(access)
    if access.may(Area.ORDERS, Power.VIEW):
        board.tiles += order_tiles(access, days)
    if access.may(Area.APPOINTMENTS, Power.VIEW):
        board.tiles += appointment_tiles(access, days)
    board.notices = [*notices(access, days), *calendar_notices(access)]
    if access.may(Area.STOCK, Power.VIEW):
        board.unavailable_items = unavailable_items(access)
    return {**context, "dashboard": board, "title": gettext("Dashboard")}


def call_tiles(access: Access, days: LocalDays) -> list[Tile]:
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).filter(days.rows())
    counts = Counter(dict(calls.order_by().values_list("state").annotate(number=Count("id"))))
    answered = sum(counts[state] for state in ANSWERED)
    live = sum(counts[state] for state in LIVE_STATES)
    times = Turn.objects.filter(call__in=calls).values_list("response_ms", flat=True)
    since = days.first.isoformat()
    return [
        Tile(
            gettext("Answered"),
            str(answered),
            gettext("%(live)s live now") % {"live": live} if live else gettext("calls today"),
            "call",
            link("voice_sessions_call", state__in="connected,completed", created_at__gte=since),
        ),
        Tile(
            gettext("Missed"),
            str(counts[CallState.MISSED]),
            gettext("%(counts)s failed") % {"counts": counts[CallState.FAILED]},
            "phone_missed",
            link("voice_sessions_call", state__in="missed,failed", created_at__gte=since),
        ),
        Tile(
            gettext("Response"),
            response_text(median_ms(times)),
            gettext("median today"),
            "speed",
            link("voice_sessions_call", created_at__gte=since),
        ),
    ]


def order_tiles(access: Access, days: LocalDays) -> list[Tile]:
    orders = Order.objects.visible_to(access.principal(Area.ORDERS)).filter(days.rows())
    paid = orders.exclude(state__in=VOID_STATES)
    waiting = Count("id", filter=Q(state="submitted"))
    rows = paid.order_by().values("currency")
    sums = list(rows.annotate(total=Sum("total"), number=Count("id"), waiting=waiting))
    revenue = " + ".join(f"{row['total']:.2f} {row['currency']}" for row in sums) or "0.00"
    number = sum(row["number"] for row in sums)
    url = link("voice_sessions_order", created_at__gte=days.first.isoformat())
    return [
        Tile(
            gettext("Orders"),
            str(number),
            gettext("%(sum)s not accepted yet") % {"sum": sum(row["waiting"] for row in sums)},
            "receipt_long",
            url,
        ),
        Tile(gettext("Revenue"), revenue, gettext("today's orders"), "payments", url),
    ]


def appointment_tiles(access: Access, days: LocalDays) -> list[Tile]:
    """Only for those whose trade makes appointments."""
    principal = access.principal(Area.APPOINTMENTS)
    if not Organization.objects.visible_to(principal).filter(trade=Trade.GARAGE).exists():
        return []
    booked = Appointment.objects.visible_to(principal).exclude(state=AppointmentState.CANCELED)
    number = booked.filter(days.beginning_today()).count()
    new = booked.filter(days.rows()).count()
    return [
        Tile(gettext("Appointments"), str(number), gettext("today; %(new)s newly booked") % {"new": new}, "event",
             link("voice_sessions_appointment", day="today")),
    ]  # fmt: skip


def last_days(access: Access, days: LocalDays) -> list[Day]:
    calls = Call.objects.visible_to(access.principal(Area.CALLS))
    known: dict[dt.date, tuple[int, int]] = {}
    for zone, midnight in days.midnights.items():
        rows = (
            calls.filter(organization__time_zone=zone, created_at__gte=day_before(midnight, DAYS - 1))
            .order_by()
            .annotate(day=TruncDate("created_at", tzinfo=midnight.tzinfo))
            .values("day")
            .annotate(answered=Count("id", filter=Q(state__in=ANSWERED)), number=Count("id"))
        )
        for row in rows:
            answered, missed = known.get(row["day"], (0, 0))
            known[row["day"]] = answered + row["answered"], missed + row["number"] - row["answered"]
    first = min(midnight.date() for midnight in days.midnights.values()) - dt.timedelta(days=DAYS - 1)
    most = max([1, *(sum(counts) for counts in known.values())])
    shown = []
    for offset in range(DAYS):
        date = first + dt.timedelta(days=offset)
        answered, missed = known.get(date, (0, 0))
        url = link(
            "voice_sessions_call", created_at__year=date.year, created_at__month=date.month, created_at__day=date.day
        )
        description = gettext("%(date)s: %(answered)s answered, %(missed)s missed or failed") % {
            "date": formats.date_format(date, "l d F"),
            "answered": answered,
            "missed": missed,
        }
        shown.append(Day(f"{date:%d}", description, url, answered * 100 // most, missed * 100 // most))
    return shown


def recent_calls(access: Access) -> list[dict[str, Any]]:
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).order_by("-created_at")
    calls = calls.select_related("organization")[:MOST_ROWS]
    return [
        {
            "url": reverse("admin:voice_sessions_call_change", args=(call.pk,)),
            "at": when_of(call, call.created_at),
            "state": call.get_state_display(),
            "color": CALL_COLORS[CallState(call.state)],
            "end_reason": end_reason_text(call),
        }
        for call in calls
    ]


def unavailable_items(access: Access) -> list[dict[str, Any]]:
    now = timezone.now()
    is_unavailable = Q(count_left=0) | Q(out_until__gt=now) | Q(out_until__isnull=True, is_out=True)
    items = Item.objects.visible_to(access.principal(Area.STOCK)).filter(is_unavailable)
    items = items.select_related("category__menu__organization")[:MOST_ROWS]
    return [
        {
            "name": item.name,
            "status": stock_status(item, now, item.category.menu.organization.zone)[1],
            "url": reverse("admin:agents_item_change", args=(item.pk,)),
        }
        for item in items
    ]
