"""Reads the figures of a period and of the one before: past days from the table of figures, today from the calls."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.configuration.models import AgentVersion
from agents.organizations.principal import Principal
from sessions.analytics.counting import Counting, Key, TopicKey
from sessions.analytics.figures import Figures
from sessions.analytics.models import DayFigures, DayTopics
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
    # By topic: calls of the period, and of the one before.
    topics: Counter[str] = field(default_factory=Counter)
    topics_before: Counter[str] = field(default_factory=Counter)


def read_report(question: Question, principal: Principal, places: Places) -> Report:
    report = Report(question)
    found: defaultdict[tuple[bool, Any], Figures] = defaultdict(Figures)
    places = places.only(question.organization_id)
    _add_stored_topics(report, principal, places)
    for (is_before, key), figures in _stored(question, principal, places):
        found[is_before, key].add(figures)
    if question.period.last >= places.first_today:
        for (is_before, key), figures in _of_today(report, places):
            found[is_before, key].add(figures)
    for (is_before, _group), figures in found.items():
        (report.before if is_before else report.now).add(figures)
    report.groups = _groups(question, _by_result(found) if question.by == "outcome" else found)
    return report


def _stored(question: Question, principal: Principal, places: Places) -> Iterable[tuple[tuple[bool, Any], Figures]]:
    rows = DayFigures.objects.visible_to(principal).filter(_asked(question, places))
    summed = rows.annotate(is_before=_is_before(question)).summed("is_before", COLUMNS[question.by])
    return [((bool(each), key), figures) for (each, key), figures in summed.items()]


def _add_stored_topics(report: Report, principal: Principal, places: Places) -> None:
    rows: QuerySet[Any] = DayTopics.objects.visible_to(principal).filter(_asked(report.question, places))
    counted = rows.order_by().annotate(is_before=_is_before(report.question)).values_list("is_before", "topic")
    for is_before, topic, calls in counted.annotate(sum_calls=Sum("calls")):
        (report.topics_before if is_before else report.topics)[topic] += calls


def _is_before(question: Question) -> Combinable:
    return ExpressionWrapper(Q(day__lt=question.period.first), output_field=BooleanField())


def _asked(question: Question, places: Places) -> Q:
    """Of the tables of past days, what the question is about, in its period or the one before."""
    asked = places.past() & Q(day__range=(question.period.before.first, question.period.last))
    if question.number is not None:
        asked &= Q(number=question.number)
    if question.outcome is not None:
        asked &= Q(results__in=joined_with(question.outcome))
    if question.agent_id is not None:
        asked &= Q(agent_version__agent=question.agent_id)
    return asked


def _of_today(report: Report, places: Places) -> Iterable[tuple[tuple[bool, Any], Figures]]:
    """The topics are added to the report."""
    question, versions = report.question, None
    if question.agent_id is not None:
        versions = set(AgentVersion.objects.filter(agent=question.agent_id).values_list("pk", flat=True))
    counting = Counting(places.rows_of_today(), places.zones)
    for key, figures in counting.run().items():
        if _is_wanted(key, question, versions):
            yield (key.day < question.period.first, getattr(key, COLUMNS[question.by])), figures
    for each, calls in counting.topics.items():
        if _is_wanted(each, question, versions):
            (report.topics_before if each.day < question.period.first else report.topics)[each.topic] += calls


def _is_wanted(key: Key | TopicKey, question: Question, versions: set[int] | None) -> bool:
    return (
        question.period.before.first <= key.day <= question.period.last
        and question.number in (None, key.number)
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
