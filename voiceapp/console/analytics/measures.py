"""The figures that the page shows, each with how it is written and the list of rows behind it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from sessions.analytics.figures import Figures
from sessions.appointments.models import AppointmentState
from sessions.call_lists.outcomes import CallOutcome
from sessions.calls.admin.display import duration_text, response_text
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import ANSWERED, Direction
from sessions.orders.models import VOID_STATES, OrderState

Value = int | float | Decimal | None


class RowList(enum.Enum):
    """The admin's list that has the rows of a figure → its URL's name, and the column of its time."""

    CALLS = "voice_sessions_call", "created_at"
    ORDERS = "voice_sessions_order", "created_at"
    APPOINTMENTS = "voice_sessions_appointment", "created_at"
    TEXTS = "voice_sessions_text", "sent_at"


@dataclass(frozen=True, slots=True)
class Measure:
    """`of_calls` filters the list of calls where the figures are split by what only calls have."""

    name: str
    label: StrOrPromise
    icon: str
    read: Callable[[Figures], Value]
    text: Callable[[Value], str]
    listed: RowList = RowList.CALLS
    filters: Mapping[str, str] = field(default_factory=dict)
    of_calls: Mapping[str, str] = field(default_factory=dict)

    def shown(self, figures: Figures) -> str:
        value = self.read(figures)
        return "–" if value is None else self.text(value)


def number_text(value: Value) -> str:
    return f"{value or 0:,}"


def percent_text(value: Value) -> str:
    return f"{float(value or 0):.1%}"


def usd_text(value: Value) -> str:
    return f"${float(value or 0):,.2f}"


def small_usd_text(value: Value) -> str:
    return f"${float(value or 0):,.4f}"


def money_text(currency: str) -> Callable[[Value], str]:
    return lambda value: f"{Decimal(value or 0):,.2f} {currency}".rstrip()


def _seconds_text(value: Value) -> str:
    return duration_text(round(value or 0))


def _response_text(value: Value) -> str:
    return response_text(float(value or 0))


IS_ANSWERED = {"state__in": ",".join(ANSWERED)}
HAS_COST = {"cost_from": "0"}
HAS_RESPONSES = {"slowest_from": "0"}
WAS_CONNECTED = {"connected_at__isnull": "False"}
IS_PAID = {"state__in": ",".join(state for state in OrderState if state not in VOID_STATES)}
IS_BOOKED = {"state__in": ",".join(state for state in AppointmentState if state != AppointmentState.CANCELED)}
HAS_ORDER, HAS_APPOINTMENT = {"outcome": CallOutcome.ORDER.value}, {"outcome": CallOutcome.APPOINTMENT.value}
IS_OUTBOUND = {"direction__exact": Direction.OUTBOUND.value}

CALLS = Measure("calls", _("Calls"), "call", lambda of: of.calls, number_text)
ANSWERED_CALLS = Measure(
    "answered", _("Answered"), "phone_in_talk", lambda of: of.answered, number_text, filters=IS_ANSWERED
)
MISSED_CALLS = Measure(
    "not_answered", _("Not answered"), "phone_missed", lambda of: of.calls - of.answered, number_text
)
P50 = Measure("response_p50_ms", _("Response time p50"), "speed", lambda of: of.p50_ms, _response_text,
              filters=HAS_RESPONSES)  # fmt: skip
P95 = Measure("response_p95_ms", _("Response time p95"), "speed", lambda of: of.p95_ms, _response_text,
              filters=HAS_RESPONSES)  # fmt: skip
ORDERS = Measure("orders", _("Orders"), "receipt_long", lambda of: of.orders, number_text, RowList.ORDERS,
                 IS_PAID, HAS_ORDER)  # fmt: skip
BOOKINGS = Measure("bookings", _("Bookings"), "event", lambda of: of.bookings, number_text, RowList.APPOINTMENTS,
                   IS_BOOKED, HAS_APPOINTMENT)  # fmt: skip
COST = Measure("cost_usd", _("Cost"), "attach_money", lambda of: of.known_cost_usd, usd_text, filters=HAS_COST)

OF_CALLS = (
    CALLS,
    ANSWERED_CALLS,
    Measure("answer_rate", _("Answer rate"), "percent", lambda of: of.answer_rate, percent_text, filters=IS_ANSWERED),
    Measure("duration_s", _("Average duration"), "timer", lambda of: of.duration_s, _seconds_text,
            filters=WAS_CONNECTED),
    P50,
    P95,
    Measure("interruptions", _("Interruptions"), "front_hand", lambda of: of.interruptions, number_text,
            filters={"interruptions_from": "1"}),
    Measure("transfers", _("Transfers"), "phone_forwarded", lambda of: of.transferred, number_text,
            filters={"reason": EndReason.TRANSFERRED.value}),
    Measure("after_hours", _("After hours"), "bedtime", lambda of: of.after_hours, number_text,
            filters={"reason": EndReason.CLOSED_HOURS.value}),
)  # fmt: skip
AFTER_REVENUE = (
    BOOKINGS,
    Measure("conversion", _("Conversion"), "trending_up", lambda of: of.conversion, percent_text,
            filters=IS_ANSWERED | {"outcome": CallOutcome.MADE.value}),
    Measure("texts", _("Texts sent"), "sms", lambda of: of.texts, number_text, RowList.TEXTS,
            IS_OUTBOUND),
    COST,
    Measure("cost_per_order_usd", _("Cost per order"), "attach_money", lambda of: of.cost_per_order_usd, usd_text,
            filters=HAS_COST),
    Measure("cost_per_minute_usd", _("Cost per minute"), "attach_money", lambda of: of.cost_per_minute_usd,
            small_usd_text, filters=HAS_COST),
)  # fmt: skip


def revenue_in(currency: str) -> Measure:
    """Money is never added across currencies: each has its own figure."""
    label, suffix = (
        (gettext("Revenue (%(currency)s)") % {"currency": currency}, f"_{currency.lower()}")
        if currency
        else (gettext("Revenue"), "")
    )
    filters = IS_PAID | ({"currency": currency} if currency else {})
    return Measure(
        f"revenue{suffix}", label, "payments", lambda of: of.revenue.get(currency, Decimal(0)), money_text(currency),
        RowList.ORDERS, filters, HAS_ORDER,
    )  # fmt: skip


def measures_of(figures: Iterable[Figures]) -> list[Measure]:
    """All of them, with the revenue in each currency that these have."""
    currencies = sorted({currency for each in figures for currency in each.revenue}) or [""]
    return [*OF_CALLS, ORDERS, *map(revenue_in, currencies), *AFTER_REVENUE]


def change_text(measure: Measure, now: Figures, before: Figures) -> str:
    """“Before: 40 (+12%)”"""
    old, new = measure.read(before), measure.read(now)
    change = "" if not old or new is None else f" ({float(new) / float(old) - 1:+.0%})"
    return gettext("Before: %(before)s%(change)s") % {"before": measure.shown(before), "change": change}
