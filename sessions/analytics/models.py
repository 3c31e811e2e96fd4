"""The figures of past days, added up so that a page of them takes one query, however many calls there were."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import models
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import AgentVersion
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.topics import CallTopic

from .figures import COUNTS, Figures
from .response_times import BUCKETS

RESPONSES = tuple(f"responses_{bucket:02}" for bucket in range(BUCKETS))
SUMS = (*COUNTS, "cost_usd", "revenue", *RESPONSES)


class CountedDay(TenantModel):
    """A day of an organization whose figures are in the table. `version` rises each time that they are written."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="counted_days")
    day = models.DateField()
    version = models.PositiveIntegerField(default=0)
    time_zone = models.CharField(max_length=64, blank=True, help_text=_("When the day began and ended."))
    counted_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["CountedDay"].as_manager()

    class Meta:
        ordering = ("organization", "day")
        constraints = [models.UniqueConstraint(fields=("organization", "day"), name="a_day_is_counted_once")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class DayFiguresQuerySet(TenantQuerySet["DayFigures"]):
    def summed(self, *by: str) -> dict[tuple[Any, ...], Figures]:
        """The figures by the values of these columns, in one query."""
        names = {f"sum_{name}": Sum(name) for name in SUMS}
        found: defaultdict[tuple[Any, ...], Figures] = defaultdict(Figures)
        for row in self.order_by().values(*by, "currency").annotate(**names).values_list(*by, "currency", *names):
            values = dict(zip(SUMS, row[len(by) + 1 :], strict=True))
            found[row[: len(by)]].add(_figures(row[len(by)], values))
        return dict(found)


def _figures(currency: str, values: dict[str, Any]) -> Figures:
    figures = Figures(**{name: values[name] for name in (*COUNTS, "cost_usd")})
    figures.responses = [values[name] for name in RESPONSES]
    if values["revenue"]:
        figures.earn(currency, values["revenue"])
    return figures


class DayFigures(TenantModel):
    """What figures.py describes, of one hour, number, agent version and results. Nothing in it names a caller.

    Orders in several currencies have a row for each, of which the first one has the counts.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="day_figures")
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=64, blank=True, help_text=_("Of ours."))
    agent_version = models.ForeignKey(AgentVersion, models.SET_NULL, null=True, related_name="day_figures")
    results = models.CharField(max_length=40, blank=True, help_text=_("As results.py joins them."))
    currency = models.CharField(max_length=3, blank=True)
    calls = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    converted = models.PositiveIntegerField(default=0)
    transferred = models.PositiveIntegerField(default=0)
    after_hours = models.PositiveIntegerField(default=0)
    talked = models.PositiveIntegerField(default=0)
    talk_s = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(default=0)
    costed = models.PositiveIntegerField(default=0)
    costed_s = models.PositiveIntegerField(default=0)
    orders = models.PositiveIntegerField(default=0)
    bookings = models.PositiveIntegerField(default=0)
    texts = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    revenue = models.DecimalField(max_digits=14, decimal_places=2, default=0)

    objects = DayFiguresQuerySet.as_manager()

    class Meta:
        ordering = ("organization", "day", "hour")
        indexes = [models.Index(fields=("day",), name="figures_of_day")]
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "day", "hour", "number", "agent_version", "results", "currency"),
                name="figures_are_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.hour}:00"


class DayTopics(TenantModel):
    """In how many calls of a day something was asked about (call_lists/topics.py). Nothing in it names a caller."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="day_topics")
    day = models.DateField()
    number = models.CharField(max_length=64, blank=True, help_text=_("Of ours."))
    agent_version = models.ForeignKey(AgentVersion, models.SET_NULL, null=True, related_name="day_topics")
    results = models.CharField(max_length=40, blank=True, help_text=_("As results.py joins them."))
    topic = models.CharField(max_length=20, choices=CallTopic.choices)
    calls = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet["DayTopics"].as_manager()

    class Meta:
        ordering = ("organization", "day", "topic")
        indexes = [models.Index(fields=("day",), name="topics_of_day")]
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "day", "number", "agent_version", "results", "topic"),
                name="topics_are_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.topic}"


# How many response times were in each bucket (response_times.py).
for _name in RESPONSES:
    DayFigures.add_to_class(_name, models.PositiveIntegerField(default=0))
