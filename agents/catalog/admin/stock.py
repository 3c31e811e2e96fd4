"""Out now, out for a while, back, so many left: for items and modifiers alike."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import ModelAdmin as DjangoModelAdmin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from agents.catalog.models import Availability, Item, Modifier
from agents.catalog.services import bring_back, take_out
from agents.hours.local_time import when
from agents.hours.queries import load_schedule
from agents.organizations.access import organization_id_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import display

S = TypeVar("S", Item, Modifier)

OUT, LOW, AVAILABLE = "out", "low", "available"
LOW_COUNT = 5
EASY_HOURS = 2


def stock_words(row: Availability, now: dt.datetime, zone: dt.tzinfo | None = None) -> tuple[str, str]:
    """Whether it is sold now, as a key for the color and in words; times in `zone`, else in the active one."""
    if row.is_available_at(now):
        if row.count_left is None:
            return AVAILABLE, "available"
        return (LOW if row.count_left <= LOW_COUNT else AVAILABLE), f"{row.count_left} left"
    if row.count_left == 0:
        return OUT, "none left"
    if row.out_until is None:
        return OUT, "out"
    until = timezone.localtime(row.out_until, zone)
    if until.date() == timezone.localtime(now, zone).date():
        return OUT, f"out until {until:%H:%M}"
    return OUT, f"out until {when(row.out_until, zone)}"


def next_day_opening(organization: Organization, now: dt.datetime) -> dt.datetime | None:
    """The first opening on a later day; open around the clock: midnight."""
    local = now.astimezone(organization.zone)
    midnight = dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(0), organization.zone)
    return load_schedule(organization).next_opening(midnight - dt.timedelta(microseconds=1))


def is_sold(row: Availability) -> bool:
    return row.is_available_at(timezone.now())


def is_out(row: Availability) -> bool:
    return not is_sold(row)


class StockFilter(SimpleListFilter):
    title = "availability"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: DjangoModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(AVAILABLE, "Available"), (OUT, "Out"), ("counted", "Counted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        out = Q(count_left=0) | Q(out_until__gt=timezone.now()) | Q(out_until__isnull=True, is_out=True)
        match self.value():
            case "available":
                return queryset.exclude(out)
            case "out":
                return queryset.filter(out)
            case "counted":
                return queryset.filter(count_left__isnull=False)
        return queryset


class StockAdmin(TenantAdmin[S]):
    """Daily work on what is sold: staff and kitchen may do this, and only this."""

    area = Area.STOCK
    operable = ("is_out", "out_until", "count_left")
    actions = ("take_out_now", "take_out_for_hours", "take_out_until_tomorrow", "bring_back_now")

    buttons = (
        Button("out", "Out now", "press_out", icon="block", is_offered=is_sold),
        Button("out-hours", f"Out for {EASY_HOURS} hours", "press_out_for_hours", icon="schedule", is_offered=is_sold),
        Button("out-today", "Out until tomorrow's opening", "press_out_today", icon="bedtime", is_offered=is_sold),
        Button("back", "Back", "press_back", icon="undo", style="primary", is_offered=is_out),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = super().get_list_display(request)
        return shown if self.has_operate_permission(request) else [each for each in shown if each != "one_tap"]

    @display(description="one tap")
    def one_tap(self, row: S) -> str:
        """A button of the list's own form that posts elsewhere: forms cannot be nested."""
        name, label = ("out", "Out") if is_sold(row) else ("back", "Back")
        url = f"{self.page_of(row).removesuffix('change/')}press/{name}/?to=list"
        words = f"{label}: {row.name}"
        return format_html(
            '<button type="submit" class="va-tap" formaction="{}" aria-label="{}">{}</button>', url, words, label
        )

    def press_out(self, request: HttpRequest, row: S, _: str) -> str:
        take_out(row)
        return f"{row.name} is out until somebody brings it back."

    def press_out_for_hours(self, request: HttpRequest, row: S, _: str) -> str:
        take_out(row, until=timezone.now() + dt.timedelta(hours=EASY_HOURS))
        return f"{row.name} is out for {EASY_HOURS} hours."

    def press_out_today(self, request: HttpRequest, row: S, _: str) -> str:
        place = self._place(row)
        take_out(row, until=next_day_opening(place, timezone.now()))
        if row.out_until is None:
            return f"{row.name} is out until somebody brings it back: no opening is in sight."
        reason = (
            "the next opening" if place.opening_hours.exists() else "no opening hours are set: open around the clock"
        )
        return f"{row.name} is out until {when(row.out_until, place.zone)} ({reason})."

    def press_back(self, request: HttpRequest, row: S, _: str) -> str:
        bring_back(row)
        return f"{row.name} is back."

    @display(description="availability", label={AVAILABLE: "success", LOW: "warning", OUT: "danger"})
    def stock(self, row: S) -> tuple[str, str]:
        return stock_words(row, timezone.now(), self._place(row).zone)

    @admin.action(description="Out now", permissions=["operate"])
    def take_out_now(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        self._take_out(request, rows, lambda _: None, "out now")

    @admin.action(description="Out for 2 hours", permissions=["operate"])
    def take_out_for_hours(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        until = timezone.now() + dt.timedelta(hours=EASY_HOURS)
        self._take_out(request, rows, lambda _: until, f"out for {EASY_HOURS} hours")

    @admin.action(description="Out until tomorrow's opening", permissions=["operate"])
    def take_out_until_tomorrow(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        now = timezone.now()
        self._take_out(request, rows, lambda place: next_day_opening(place, now), "out until the next day's opening")

    @admin.action(description="Back", permissions=["operate"])
    def bring_back_now(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        changed = 0
        for row in self.rows_with(request, rows, Power.OPERATE):
            bring_back(row)
            self.log_change(request, row, "Back in stock.")
            changed += 1
        messages.success(request, counted(changed, "back in stock"))

    def _place(self, row: S) -> Organization:
        menu = row.category.menu if isinstance(row, Item) else row.group.menu
        return menu.organization

    def _take_out(self, request: HttpRequest, rows: QuerySet[S], until_at: Any, what: str) -> None:
        known: dict[Any, dt.datetime | None] = {}
        changed = 0
        for row in self.rows_with(request, rows, Power.OPERATE):
            place = organization_id_of(row)
            if place not in known:
                known[place] = until_at(self._place(row))
            take_out(row, until=known[place])
            self.log_change(request, row, f"Taken {what}.")
            changed += 1
        messages.success(request, counted(changed, what))


def counted(number: int, what: str, *, one: str = "item", many: str = "items") -> str:
    """“3 items are back in stock.”"""
    return f"{number} {f'{one} is' if number == 1 else f'{many} are'} {what}."
