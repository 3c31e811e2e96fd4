"""Narrows calls to what a filter form says. All that it compares is in the index `call_filters` of calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.configuration.models import AgentVersion
from sessions.alerts.calls_behind import calls_behind
from sessions.alerts.models import Alert
from sessions.calls.models import Call
from sessions.calls.topics import has_topic
from voiceapp.core.phones.search import matching, matching_whole

from .outcomes import has_outcome
from .periods import Period, days_of


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom calls are found: in which zone a day begins, how numbers are written, and whether digits are shown."""

    zone: dt.tzinfo = dt.UTC
    regions: Collection[str] = field(default_factory=frozenset)
    sees_numbers: bool = False


Condition = Callable[[Any, Reader], Q]


def _is(column: str) -> Condition:
    return lambda value, _: Q(**{column: value})


def _in_ms(column: str) -> Condition:
    return lambda seconds, _: Q(**{column: int(seconds * 1000)})


def _begins(day: dt.date, reader: Reader) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, reader.zone)


def _is_in_period(period: str, reader: Reader) -> Q:
    first, last = days_of(Period(period), timezone.localdate(timezone=reader.zone))
    return CONDITIONS["since"](first, reader) & CONDITIONS["until"](last, reader)


def _has_number(typed: str, reader: Reader) -> Q:
    """By any of its digits; whole for those who see masked numbers, who must not find one digit by digit."""
    match = matching if reader.sees_numbers else matching_whole
    return match("caller_number", typed, regions=reader.regions) | match("dialed_number", typed, regions=reader.regions)


def _is_behind(alert_id: str, _: Reader) -> Q:
    alert = Alert.objects.filter(pk=alert_id).first()
    return Q(pk__in=()) if alert is None else calls_behind(alert)


def _has_version(number: int, _: Reader) -> Q:
    return Q(agent_version__in=AgentVersion.objects.filter(number=number).order_by().values("pk"))


CONDITIONS: Mapping[str, Condition] = {
    "organization": _is("organization"),
    "alert": _is_behind,
    "agent": _is("agent"),
    "version": _has_version,
    "number": _has_number,
    "direction": _is("direction"),
    "kind": _is("kind"),
    "period": _is_in_period,
    "since": lambda day, reader: Q(created_at__gte=_begins(day, reader)),
    "until": lambda day, reader: Q(created_at__lt=_begins(day + dt.timedelta(days=1), reader)),
    "state": _is("state"),
    "outcome": lambda outcome, _: has_outcome(outcome),
    "topic": lambda topic, _: has_topic(topic),
    "reason": _is("end_reason"),
    "cost_from": _is("cost_usd__gte"),
    "cost_to": _is("cost_usd__lte"),
    "slowest_from": _in_ms("slowest_response_ms__gte"),
    "slowest_to": _in_ms("slowest_response_ms__lte"),
    "interruptions_from": _is("interruptions__gte"),
    "interruptions_to": _is("interruptions__lte"),
}


def narrowed(calls: QuerySet[Call], wanted: Mapping[str, Any], reader: Reader) -> QuerySet[Call]:
    """`wanted` is what a CallFilterForm has read."""
    found = Q()
    for name, value in wanted.items():
        found &= CONDITIONS[name](value, reader)
    return calls.filter(found)
