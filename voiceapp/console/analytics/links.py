"""Where a figure leads: the admin's list of the rows that it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sessions.analytics.results import MADE, WITHOUT_CALL, CallResult
from sessions.call_lists.outcomes import CallOutcome
from sessions.calls.models import ANSWERED, CallState
from voiceapp.console.local_days import link

from .measures import CALLS, Measure, RowList
from .places import Places
from .report import Question

NOTHING_MADE = {"outcome": CallOutcome.NOTHING.value}
# How the list of calls finds those with a result.
OF_RESULT: Mapping[str, Mapping[str, str]] = {
    **{result: {"outcome": result.value} for result in MADE},
    CallResult.ANSWERED: NOTHING_MADE | {"state__in": ",".join(ANSWERED)},
    CallResult.MISSED: NOTHING_MADE | {"state__exact": CallState.MISSED.value},
    CallResult.FAILED: NOTHING_MADE | {"state__exact": CallState.FAILED.value},
    CallResult.WAITING: NOTHING_MADE | {"state__in": f"{CallState.PENDING},{CallState.RINGING}"},
}


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a time, of an organization if one was chosen; `calls` filters by what only the list of calls knows."""

    begins: datetime
    ends: datetime
    hour: int | None
    organization: Mapping[str, str]
    calls: Mapping[str, str]
    is_without_call: bool = False

    def url(self, measure: Measure) -> str:
        listed, filters = measure.listed, dict(measure.filters)
        if self.calls and listed is not RowList.CALLS:
            # Orders, appointments and texts do not say of which number or version they are: their calls do.
            listed, filters = RowList.CALLS, dict(measure.of_calls)
        if self.is_without_call:
            filters["call__isnull"] = "True"
        name, column = listed.value
        times = {f"{column}__gte": self.begins.isoformat(), f"{column}__lt": self.ends.isoformat()}
        if self.hour is not None:
            times[f"{column}__hour"] = str(self.hour)
        if listed is RowList.APPOINTMENTS:
            times["day"] = "all"
        of_calls = self.calls if listed is RowList.CALLS else {}
        return link(name, **times, **{**filters, **of_calls, **self.organization})


def found_in_all(question: Question, places: Places) -> Found:
    return _found(question, places, None, by="")


def found_in_group(question: Question, places: Places, key: Any) -> Found:
    return _found(question, places, key, by=question.by)


def calls_with_topic(question: Question, places: Places, topic: str) -> str:
    """The calls of the period in which it was asked about."""
    found = found_in_all(question, places)
    return replace(found, calls={**found.calls, "topic": topic}).url(CALLS)


def _found(question: Question, places: Places, key: Any, *, by: str) -> Found:
    """`by`: what the key is; empty for the figures of all groups together."""
    period = question.period
    first, last = (key, key) if by == "day" else (period.first, period.last)
    begins, ends = places.only(question.organization_id).bounds(first, last)
    calls: dict[str, str] = {}
    if question.agent_id is not None:
        calls["agent__id__exact"] = str(question.agent_id)
    number = key if by == "number" else question.number
    if number is not None:
        calls["dialed_number__exact"] = number
    if by == "version":
        calls |= {"agent_version__id__exact": str(key)} if key else {"agent_version__isnull": "True"}
    result = key if by == "outcome" else question.outcome
    if result:
        calls |= OF_RESULT[result]
    one = question.organization_id
    organization = {"organization__id__exact": str(one)} if one is not None else {}
    is_without_call = by == "outcome" and key == WITHOUT_CALL
    return Found(begins, ends, key if by == "hour" else None, organization, calls, is_without_call)
