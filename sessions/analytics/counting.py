"""Counts the figures of some time from the calls, orders, appointments and texts themselves.

The only place that does: the table of figures is filled by it (services.py), and pages read today by it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from sessions.appointments.models import Appointment, AppointmentState
from sessions.call_lists.outcomes import standing_orders
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import ANSWERED, Call, Direction, Turn
from sessions.calls.topics import topics_of
from sessions.messages.texts.models import Text

from . import results
from .figures import Figures
from .response_times import bucket_of

# What a key has of its call.
OF_CALL = ("direction", "dialed_number", "caller_number", "agent_version_id", "state", "end_reason")


class Key(NamedTuple):
    """Of what figures are. `number` is our own, never a caller's; day and hour are the organization's."""

    organization_id: UUID
    day: dt.date
    hour: int
    number: str
    agent_version_id: int | None
    results: str


class TopicKey(NamedTuple):
    """Of what topics are counted: as Key, without the hour."""

    organization_id: UUID
    day: dt.date
    number: str
    agent_version_id: int | None
    results: str
    topic: str


class Rows(Protocol):
    """Which rows are counted: those whose `column` is within some time. `of`: the path to who has column and owner."""

    def __call__(self, column: str, *, of: str = "") -> Q: ...


class Counting:
    """One query for each kind of row, whatever their number and that of their organizations (`zones`)."""

    def __init__(self, rows: Rows, zones: Mapping[UUID, ZoneInfo]) -> None:
        self.rows = rows
        self.zones = zones
        self.found: defaultdict[Key, Figures] = defaultdict(Figures)
        self.topics: Counter[TopicKey] = Counter()

    def run(self) -> dict[Key, Figures]:
        self._count_responses(self._count_calls())
        self._count_orders()
        self._count_appointments()
        self._count_texts()
        return dict(self.found)

    def _figures(self, organization_id: UUID, at: dt.datetime, *of_call: Any) -> Figures:
        return self.found[self._key(organization_id, at, *of_call)]

    def _key(self, organization_id: UUID, at: dt.datetime, *of_call: Any) -> Key:
        """`of_call`: the columns OF_CALL, then those of `results`."""
        local = at.astimezone(self.zones[organization_id])
        direction, dialed, caller, version_id, *rest = of_call
        number = (caller if direction == Direction.OUTBOUND else dialed) or ""
        return Key(organization_id, local.date(), local.hour, number, version_id, results.results_of(*rest))

    def _count_calls(self) -> dict[UUID, Figures]:
        """Returns where each call is counted."""
        calls = Call.objects.filter(self.rows("created_at")).order_by().annotate(**results.made_in())
        columns = ("organization_id", "created_at", *OF_CALL, *results.COLUMNS)
        more = ("pk", "connected_at", "ended_at", "interruptions", "cost_usd", "topics")
        places = {}
        for row in calls.values_list(*columns, *more):
            call_id, connected_at, ended_at, interruptions, cost_usd, bits = row[len(columns) :]
            key = self._key(*row[: len(columns)])
            figures = places[call_id] = self.found[key]
            state, end_reason, *made = row[len(columns) - 5 : len(columns)]
            self._count_topics(key, topics_of(bits, end_reason))
            is_conversion = made[0] or made[1]
            _add_call(figures, state, end_reason, is_conversion=is_conversion)
            _add_talk(figures, connected_at, ended_at, cost_usd)
            figures.interruptions += interruptions
        return places

    def _count_responses(self, places: Mapping[UUID, Figures]) -> None:
        turns = Turn.objects.filter(self.rows("created_at", of="call__"), response_ms__isnull=False).order_by()
        for call_id, response_ms in turns.values_list("call_id", "response_ms"):
            # A call that began since they were read changes its day, which is counted again.
            if (figures := places.get(call_id)) is not None and response_ms is not None:
                figures.responses[bucket_of(response_ms)] += 1

    def _count_topics(self, key: Key, topics: Iterable[str]) -> None:
        """Each topic of a call once, however often its tools were used."""
        organization_id, day, _hour, number, version_id, made = key
        self.topics.update(TopicKey(organization_id, day, number, version_id, made, str(topic)) for topic in topics)

    def _count_orders(self) -> None:
        orders = standing_orders().filter(self.rows("created_at"))
        for currency, total, *of in self._made("created_at", orders, "currency", "total"):
            figures = self._figures(*of)
            figures.orders += 1
            figures.earn(currency, total)

    def _count_appointments(self) -> None:
        booked = Appointment.objects.filter(self.rows("created_at")).exclude(state=AppointmentState.CANCELED)
        for of in self._made("created_at", booked):
            self._figures(*of).bookings += 1

    def _count_texts(self) -> None:
        sent = Text.objects.filter(self.rows("sent_at"), direction=Direction.OUTBOUND)
        for of in self._made("sent_at", sent):
            self._figures(*of).texts += 1

    def _made(self, at: str, rows: QuerySet[Any], *columns: str) -> QuerySet[Any, Any]:
        of_call = (f"call__{column}" for column in OF_CALL)
        with_results = rows.order_by().annotate(**results.made_in("call_id"))
        found: QuerySet[Any, Any] = with_results.values_list(
            *columns, "organization_id", at, *of_call, *results.COLUMNS
        )
        return found


def _add_call(figures: Figures, state: str, end_reason: str, *, is_conversion: bool) -> None:
    figures.calls += 1
    figures.answered += state in ANSWERED
    figures.converted += state in ANSWERED and is_conversion
    figures.transferred += end_reason == EndReason.TRANSFERRED
    figures.after_hours += end_reason == EndReason.CLOSED_HOURS


def _add_talk(
    figures: Figures, connected_at: dt.datetime | None, ended_at: dt.datetime | None, cost_usd: Decimal | None
) -> None:
    talk_s = 0
    if connected_at is not None and ended_at is not None:
        talk_s = max(int((ended_at - connected_at).total_seconds()), 0)
        figures.talked += 1
        figures.talk_s += talk_s
    if cost_usd is not None:
        figures.costed += 1
        figures.costed_s += talk_s
        figures.cost_usd += cost_usd
