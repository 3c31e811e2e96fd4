"""Sold out, sold out until a time, available, quantity left: for items and modifiers alike."""

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
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.catalog.models import Availability, Item, Modifier
from agents.catalog.services import mark_available, mark_sold_out
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


def stock_status(row: Availability, now: dt.datetime, zone: dt.tzinfo | None = None) -> tuple[str, str]:
    """Whether it is sold now, as a key for the color and as text; times in `zone`, else in the active one."""
    if row.is_available_at(now):
        if row.count_left is None:
            return AVAILABLE, gettext("Available")
        return (LOW if row.count_left <= LOW_COUNT else AVAILABLE), gettext("%(count_left)s left") % {
            "count_left": row.count_left
        }
    if row.count_left == 0:
        return OUT, gettext("None left")
    if row.out_until is None:
        return OUT, gettext("Sold out")
    until = timezone.localtime(row.out_until, zone)
    if until.date() == timezone.localtime(now, zone).date():
        return OUT, gettext("Sold out until %(until)s") % {"until": f"{until:%H:%M}"}
    return OUT, gettext("Sold out until %(time)s") % {"time": when(row.out_until, zone)}


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
    title = _("availability")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: DjangoModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(AVAILABLE, gettext("Available")), (OUT, gettext("Sold out")), ("counted", gettext("Counted"))]

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
    """Daily work on stock: staff and kitchen can do this, and only this."""

    area = Area.STOCK
    operable = ("is_out", "out_until", "count_left")
    actions = ("sold_out", "sold_out_for_hours", "sold_out_until_tomorrow", "available")

    buttons = (
        Button("sold-out", _("Sold out"), "mark_sold_out", icon="block", is_offered=is_sold),
        Button(
            "sold-out-hours",
            _("Sold out for 2 hours"),
            "mark_sold_out_for_hours",
            icon="schedule",
            is_offered=is_sold,
        ),
        Button(
            "sold-out-today",
            _("Sold out until tomorrow"),
            "mark_sold_out_until_tomorrow",
            icon="bedtime",
            is_offered=is_sold,
        ),
        Button("available", _("Available"), "mark_available", icon="undo", style="primary", is_offered=is_out),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = super().get_list_display(request)
        return shown if self.has_operate_permission(request) else [each for each in shown if each != "quick_action"]

    @display(description=_("mark as"))
    def quick_action(self, row: S) -> str:
        """A button of the list's own form that posts elsewhere: forms cannot be nested."""
        name, label = ("sold-out", gettext("Sold out")) if is_sold(row) else ("available", gettext("Available"))
        url = f"{self.page_of(row).removesuffix('change/')}press/{name}/?to=list"
        description = f"{label}: {row.name}"
        return format_html(
            '<button type="submit" class="va-tap" formaction="{}" aria-label="{}">{}</button>', url, description, label
        )

    def mark_sold_out(self, request: HttpRequest, row: S, _: str) -> str:
        mark_sold_out(row)
        return gettext("%(row)s is sold out until somebody marks it as available.") % {"row": row.name}

    def mark_sold_out_for_hours(self, request: HttpRequest, row: S, _: str) -> str:
        mark_sold_out(row, until=timezone.now() + dt.timedelta(hours=EASY_HOURS))
        return gettext("%(row)s is sold out for %(easy_hours)s hours.") % {"row": row.name, "easy_hours": EASY_HOURS}

    def mark_sold_out_until_tomorrow(self, request: HttpRequest, row: S, _: str) -> str:
        organization = self._organization(row)
        mark_sold_out(row, until=next_day_opening(organization, timezone.now()))
        if row.out_until is None:
            return gettext("%(row)s is sold out until somebody marks it as available: no next opening is known.") % {
                "row": row.name
            }
        sentence = (
            gettext("%(row)s is sold out until %(time)s (the next opening).")
            if organization.opening_hours.exists()
            else gettext("%(row)s is sold out until %(time)s (no opening hours are set: open around the clock).")
        )
        return sentence % {"row": row.name, "time": when(row.out_until, organization.zone)}

    def mark_available(self, request: HttpRequest, row: S, _: str) -> str:
        mark_available(row)
        return gettext("%(row)s is available again.") % {"row": row.name}

    @display(description=_("availability"), label={AVAILABLE: "success", LOW: "warning", OUT: "danger"})
    def stock(self, row: S) -> tuple[str, str]:
        return stock_status(row, timezone.now(), self._organization(row).zone)

    @admin.action(description=_("Mark as sold out"), permissions=["operate"])
    def sold_out(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        number = self._mark_sold_out(request, rows, lambda _: None, gettext("Marked as sold out."))
        said = ngettext("%(number)s item is sold out.", "%(number)s items are sold out.", number)
        messages.success(request, said % {"number": number})

    @admin.action(description=_("Mark as sold out for 2 hours"), permissions=["operate"])
    def sold_out_for_hours(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        until = timezone.now() + dt.timedelta(hours=EASY_HOURS)
        hours = {"hours": EASY_HOURS}
        logged = gettext("Marked as sold out for %(hours)s hours.") % hours
        number = self._mark_sold_out(request, rows, lambda _: until, logged)
        said = ngettext(
            "%(number)s item is sold out for %(hours)s hours.",
            "%(number)s items are sold out for %(hours)s hours.",
            number,
        )
        messages.success(request, said % {"number": number, **hours})

    @admin.action(description=_("Mark as sold out until tomorrow"), permissions=["operate"])
    def sold_out_until_tomorrow(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        now = timezone.now()
        number = self._mark_sold_out(
            request,
            rows,
            lambda organization: next_day_opening(organization, now),
            gettext("Marked as sold out until the next day's opening."),
        )
        said = ngettext(
            "%(number)s item is sold out until the next day's opening.",
            "%(number)s items are sold out until the next day's opening.",
            number,
        )
        messages.success(request, said % {"number": number})

    @admin.action(description=_("Mark as available"), permissions=["operate"])
    def available(self, request: HttpRequest, rows: QuerySet[S]) -> None:
        changed = 0
        for row in self.rows_with(request, rows, Power.OPERATE):
            mark_available(row)
            self.log_change(request, row, gettext("Available again."))
            changed += 1
        said = ngettext("%(number)s item is available again.", "%(number)s items are available again.", changed)
        messages.success(request, said % {"number": changed})

    def _organization(self, row: S) -> Organization:
        menu = row.category.menu if isinstance(row, Item) else row.group.menu
        return menu.organization

    def _mark_sold_out(self, request: HttpRequest, rows: QuerySet[S], until_at: Any, logged: str) -> int:
        """How many were marked; `logged` goes into the history of each."""
        known: dict[Any, dt.datetime | None] = {}
        changed = 0
        for row in self.rows_with(request, rows, Power.OPERATE):
            owner = organization_id_of(row)
            if owner not in known:
                known[owner] = until_at(self._organization(row))
            mark_sold_out(row, until=known[owner])
            self.log_change(request, row, logged)
            changed += 1
        return changed
