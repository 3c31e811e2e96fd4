"""Reads the figures of a period and of the one before: past days from the table of figures, today from the calls."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.configuration.models import AgentVersion
from agents.organizations.principal import Principal
from sessions.analytics.counting import Counting, Key
from sessions.analytics.figures import Figures
from sessions.analytics.models import DayFigures
from sessions.analytics.results import WITHOUT_CALL, CallResult, joined_with
from voiceapp.core.phones.numbers import show_number

from .date_range import DateRange
from .places import Places

# By which the figures can be split → the column.
COLUMNS = {
    "day": "day", "hour": "hour", "number": "number", "version": "agent_version_id", "outcome": "results",
}  # fmt: skip
NO_NUMBER = _("No phone number")
NO_VERSION = _("No published agent")
NO_CALL = _("Without a call")


@dataclass(frozen=True, slots=True)
class Question:
    """What the page is asked for. None: any."""

    period: DateRange
    by: str = "day"
    organization_id: UUID | None = None
    agent_id: int | None = None
    number: str | None = None
    outcome: str | None = None


@dataclass(slots=True)
class Group:
    """The figures of one day, hour, number, version or outcome; `before`: in the period before."""

    key: Any
    label: StrOrPromise
    now: Figures
    before: Figures


@dataclass(slots=True)
class Report:
    question: Question
    groups: list[Group] = field(default_factory=list)
    now: Figures = field(default_factory=Figures)
    before: Figures = field(default_factory=Figures)


def read_report(question: Question, principal: Principal, places: Places) -> Report:
    found: defaultdict[tuple[bool, Any], Figures] = defaultdict(Figures)
    places = places.only(question.organization_id)
    for (is_before, key), figures in _stored(question, principal, places):
        found[is_before, key].add(figures)
    if question.period.last >= places.first_today:
        for (is_before, key), figures in _of_today(question, places):
            found[is_before, key].add(figures)
    report = Report(question)
    for (is_before, _group), figures in found.items():
        (report.before if is_before else report.now).add(figures)
    report.groups = _groups(question, _by_result(found) if question.by == "outcome" else found)
    return report


def _stored(question: Question, principal: Principal, places: Places) -> Iterable[tuple[tuple[bool, Any], Figures]]:
    period, before = question.period, question.period.before
    rows = DayFigures.objects.visible_to(principal).filter(places.past(), day__range=(before.first, period.last))
    if question.number is not None:
        rows = rows.filter(number=question.number)
    if question.outcome is not None:
        rows = rows.filter(results__in=joined_with(question.outcome))
    if question.agent_id is not None:
        rows = rows.filter(agent_version__agent=question.agent_id)
    is_before = ExpressionWrapper(Q(day__lt=period.first), output_field=BooleanField())
    column = COLUMNS[question.by]
    summed = rows.annotate(is_before=is_before).summed("is_before", column)
    return [((bool(each), key), figures) for (each, key), figures in summed.items()]


def _of_today(question: Question, places: Places) -> Iterable[tuple[tuple[bool, Any], Figures]]:
    versions = None
    if question.agent_id is not None:
        versions = set(AgentVersion.objects.filter(agent=question.agent_id).values_list("pk", flat=True))
    period = question.period
    for key, figures in Counting(places.rows_of_today(), places.zones).run().items():
        if key.day > period.last or key.day < period.before.first or not _is_wanted(key, question, versions):
            continue
        yield (key.day < period.first, getattr(key, COLUMNS[question.by])), figures


def _is_wanted(key: Key, question: Question, versions: set[int] | None) -> bool:
    return (
        question.number in (None, key.number)
        and (question.outcome is None or key.results in joined_with(question.outcome))
        and (versions is None or key.agent_version_id in versions)
    )


def _by_result(found: Mapping[tuple[bool, Any], Figures]) -> dict[tuple[bool, Any], Figures]:
    """A call with several results is in the figures of each of them."""
    split: defaultdict[tuple[bool, Any], Figures] = defaultdict(Figures)
    for (is_before, results), figures in found.items():
        for result in results.split(","):
            split[is_before, result].add(figures)
    return split


def _groups(question: Question, found: Mapping[tuple[bool, Any], Figures]) -> list[Group]:
    if question.by == "day":
        shift = dt.timedelta(days=question.period.days)
        return [
            Group(day, formats.date_format(day, "D j M"), found.get((False, day)) or Figures(),
                  found.get((True, day - shift)) or Figures())
            for day in question.period
        ]  # fmt: skip
    labels = _labels(question.by, {key for _, key in found})
    return [
        Group(key, label, found.get((False, key)) or Figures(), found.get((True, key)) or Figures())
        for key, label in labels.items()
    ]


def _labels(by: str, keys: set[Any]) -> dict[Any, StrOrPromise]:
    """In the order in which they are shown."""
    if by == "hour":
        return {hour: f"{hour:02}:00" for hour in range(24)}
    if by == "outcome":
        known = {result.value: result.label for result in CallResult}
        return {key: label for key, label in {**known, WITHOUT_CALL: NO_CALL}.items() if key in keys}
    if by == "number":
        return {key: show_number(key) if key else NO_NUMBER for key in sorted(keys, key=lambda key: (not key, key))}
    versions = AgentVersion.objects.filter(pk__in=[key for key in keys if key is not None])
    rows = versions.select_related("agent").order_by("agent__name", "agent", "-number")
    found: dict[Any, StrOrPromise] = {version.pk: str(version) for version in rows}
    return found | ({None: NO_VERSION} if None in keys else {})
