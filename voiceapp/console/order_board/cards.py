"""What the board shows: a card per order, and which card is in which column."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.organizations.models import Organization
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.reasons import TextReason, explanation_of
from sessions.moves import HELD_FOR, UNDO_WITHIN
from sessions.orders.board.alarms import text_key
from sessions.orders.board.models import AlarmState, OrderAlarm, board_settings_of
from sessions.orders.draft.delivery import address_line
from sessions.orders.models import Order, OrderState
from sessions.orders.services.customer_texts import customer_text_key
from sessions.orders.services.states import GIVEN_UP, may_move, who_moved
from voiceapp.core.feeds.streaming import Event
from voiceapp.core.phones.numbers import mask, read_caller

MOST_OPEN = 200
MOST_OVER = 20
OVER_SHOWN_FOR = dt.timedelta(hours=12)
# Whoever writes of one of these must be read first: English, German, Spanish, French, Italian.
ALLERGY = re.compile(r"all?erg|intoleran|unvertr[äa]glich|c[o]?eliac|z[öo]liakie|anaphyla", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: StrOrPromise
    icon: str
    states: tuple[OrderState, ...]


COLUMNS = (
    Column("new", _("New"), "bell", (OrderState.SUBMITTED,)),
    Column("accepted", _("Accepted"), "check", (OrderState.ACCEPTED,)),
    Column("in_progress", _("In progress"), "pan", (OrderState.IN_PROGRESS,)),
    Column("ready", _("Ready"), "bag", (OrderState.READY,)),
    Column("over", _("Done"), "done", (OrderState.DONE, OrderState.REFUSED, OrderState.CANCELED)),
)
COLUMN_OF: Mapping[str, Column] = {state: column for column in COLUMNS for state in column.states}
OPEN_STATES = tuple(state for column in COLUMNS[:-1] for state in column.states)
ICONS: Mapping[str, str] = {OrderState.REFUSED: "block", OrderState.CANCELED: "block"}


@dataclass(frozen=True, slots=True)
class Action:
    """A button that moves the order on."""

    to: OrderState
    label: StrOrPromise
    icon: str
    is_main: bool = False
    needs_reason: bool = False


ACTIONS = (
    Action(OrderState.ACCEPTED, _("Accept"), "check", is_main=True),
    Action(OrderState.IN_PROGRESS, _("Start"), "pan", is_main=True),
    Action(OrderState.READY, _("Ready"), "bag", is_main=True),
    Action(OrderState.DONE, _("Done"), "done", is_main=True),
    Action(OrderState.REFUSED, _("Refuse"), "block", needs_reason=True),
    Action(OrderState.CANCELED, _("Cancel"), "block", needs_reason=True),
)
# Which of the possible moves a card offers: the others are on the order's page.
OFFERED: Mapping[str, tuple[OrderState, ...]] = {
    OrderState.SUBMITTED: (OrderState.ACCEPTED, OrderState.REFUSED),
    OrderState.ACCEPTED: (OrderState.IN_PROGRESS, OrderState.READY, OrderState.CANCELED),
    OrderState.IN_PROGRESS: (OrderState.READY, OrderState.CANCELED),
    OrderState.READY: (OrderState.DONE, OrderState.CANCELED),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the people have in common who look at the same board."""

    organization_id: UUID
    operates: bool
    sees_customers: bool

    @property
    def shared_as(self) -> str:
        return f"orders:{self.organization_id}:{self.operates}:{self.sees_customers}"


def read_board(viewer: Viewer, changed: frozenset[str] = frozenset()) -> list[Event]:
    """An event per card, then the one that says which cards there are, and how long orders take."""
    organization = Organization.objects.get(pk=viewer.organization_id)
    orders = [*open_orders(organization), *orders_that_are_over(organization)]
    texts = _texts_about(organization, orders)
    cards = [Event("order", _card(order, viewer, texts), id=str(order.pk)) for order in orders]
    settings, now = board_settings_of(organization), timezone.now()
    board = {
        "orders": [str(order.pk) for order in orders],
        "prepMinutes": settings.prep_minutes,
        "busyMinutes": settings.busy_minutes,
        "busyUntil": _epoch_s(settings.busy_until) if settings.busy_until and settings.is_busy(now) else None,
        "busyUntilWords": _clock(organization, settings.busy_until) if settings.busy_until else "",
        "takesOrders": organization.takes_orders,
    }
    return [*cards, Event("board", board)]


def open_orders(organization: Organization) -> QuerySet[Order]:
    """The oldest first: it has waited the longest."""
    return _orders(organization).filter(state__in=OPEN_STATES).order_by("created_at", "number")[:MOST_OPEN]


def orders_that_are_over(organization: Organization) -> QuerySet[Order]:
    since = timezone.now() - OVER_SHOWN_FOR
    over = _orders(organization).filter(state__in=COLUMNS[-1].states, created_at__gt=since)
    return over.order_by("-created_at", "-number")[:MOST_OVER]


def _orders(organization: Organization) -> QuerySet[Order]:
    orders = Order.objects.filter(organization=organization).select_related("organization", "replaces", "alarm")
    return orders.prefetch_related("lines__modifiers", "events")


def _texts_about(organization: Organization, orders: Sequence[Order]) -> dict[str, Text]:
    keys = [text_key(order) for order in orders if _alarm_of(order) is not None]
    keys += [key for order in orders if (key := customer_text_key(order))]
    return {text.key: text for text in Text.objects.filter(organization=organization, key__in=keys)} if keys else {}


def _card(order: Order, viewer: Viewer, texts: Mapping[str, Text]) -> dict[str, object]:
    events = list(order.events.all())
    last = events[-1] if events else None
    if last is not None:
        last.order = order
    number = read_caller(order.customer_number).number
    column = COLUMN_OF[order.state]
    notes = list(_notes(order))
    context = {
        "order": order,
        "column": column,
        "icon": ICONS.get(order.state, column.icon),
        "allergies": [note for note in notes if ALLERGY.search(note)],
        "notes": [note for note in notes if not ALLERGY.search(note)],
        "customer_number": number if viewer.sees_customers or not number else mask(number),
        "address": order.address if viewer.sees_customers else address_line("", order.postcode, order.place),
        "ready": _clock(order.organization, order.ready_at),
        "last": who_moved(last) if last else "",
        "undo": last if viewer.operates and last and not last.is_undo and last.after == order.state else None,
        "undo_until": _epoch_s(last.at + UNDO_WITHIN) if last else None,
        "actions": [each for each in ACTIONS if each.to in OFFERED.get(order.state, ()) and may_move(order, each.to)]
        if viewer.operates
        else [],
        "alarm": alarm_sentence(_alarm_of(order), texts.get(text_key(order))),
        "customer_text": customer_text_sentence(texts.get(customer_text_key(order))),
    }
    return {
        "html": render_to_string("admin/order_board/card.html", context),
        "column": column.name,
        "number": order.number,
        "at": _epoch_s(order.created_at),
        "isOver": order.state in (OrderState.DONE, *GIVEN_UP),
    }


def _notes(order: Order) -> Iterator[str]:
    if order.note:
        yield order.note
    for line in order.lines.all():
        if line.note:
            yield f"{line.item}: {line.note}"


def _alarm_of(order: Order) -> OrderAlarm | None:
    return getattr(order, "alarm", None)


def alarm_sentence(alarm: OrderAlarm | None, text: Text | None = None) -> str:
    """Who was alarmed, and what came of it; empty without an alarm."""
    if alarm is None:
        return ""
    at = _clock(alarm.order.organization, alarm.created_at)
    match alarm.state:
        case AlarmState.WAITING | AlarmState.RINGING:
            return gettext("Calling %(alarm)s since %(at)s.") % {"alarm": alarm.name, "at": at}
        case AlarmState.ANSWERED:
            return gettext("%(alarm)s was called at %(at)s and answered.") % {"alarm": alarm.name, "at": at}
        case AlarmState.NOT_ANSWERED:
            return (
                gettext("%(alarm)s was called at %(at)s and did not answer. %(failure)s")
                % {"alarm": alarm.name, "at": at, "failure": alarm.failure}
            ).rstrip()
        case AlarmState.TEXTED if text is not None and text.reason:
            return gettext("No alarm to %(alarm)s: %(cause)s") % {
                "alarm": alarm.name,
                "cause": explanation_of(text.reason).cause,
            }
        case AlarmState.TEXTED:
            state = f" ({text.get_state_display().lower()})" if text is not None else ""
            return gettext("%(alarm)s was texted at %(at)s%(state)s.") % {"alarm": alarm.name, "at": at, "state": state}
    return gettext("No alarm to %(alarm)s: %(failure)s") % {"alarm": alarm.name, "failure": alarm.failure}


def customer_text_sentence(text: Text | None) -> str:
    """What became of the text to the customer about the order's state; empty without one."""
    if text is None or text.reason == TextReason.CHANGED:
        return ""
    if text.reason:
        cause = explanation_of(text.reason).cause
        return gettext("No text to the customer: %(cause)s Please call.") % {"cause": cause}
    if text.state == TextState.WAITING:
        return gettext("The customer gets a text in %(seconds)s seconds. Undo stops it.") % {
            "seconds": int(HELD_FOR.total_seconds())
        }
    return gettext("Text to the customer: %(state)s.") % {"state": text.get_state_display().lower()}


def _clock(organization: Organization, at: dt.datetime | None) -> str:
    return f"{at.astimezone(organization.zone):%H:%M}" if at else ""


def _epoch_s(at: dt.datetime) -> int:
    return int(at.timestamp())
