"""How often a rule would have been raised in the last days, by the same judgment as its evaluation.

Computed from the rows themselves in one or two queries, so that it is true for whatever is set. Of several alerts in a
row that QUIET_FOR would have kept together, one is counted.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import QuerySet, Sum

from agents.hours.queries import load_schedule
from sessions.alerts.calls_behind import failed_texts, inbound
from sessions.alerts.finding import Verdict
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import AlertRule
from sessions.alerts.rules import failed_calls, no_calls, slow_responses, spend
from sessions.alerts.services.settling import QUIET_FOR
from sessions.analytics.models import DayFigures
from sessions.analytics.response_times import BUCKETS, bucket_of
from sessions.calls.models import TERMINAL_STATES, Call, CallState, Turn
from sessions.messages.texts.models import Text

DAYS = 7
# Of more rows nothing is computed while a page waits.
MOST_ROWS = 50_000
NO_CALLS_STEP = dt.timedelta(minutes=30)
R = TypeVar("R")
Moments = Iterable[tuple[dt.datetime, Verdict]]


class TooMany(Exception):
    """There are more rows than a page can wait for."""


def preview(rule: AlertRule, now: dt.datetime) -> int | None:
    """None where the past is not known, or has too many rows."""
    replay = REPLAYS.get(AlertKind(rule.kind))
    if replay is None:
        return None
    try:
        return openings(replay(rule, now - dt.timedelta(days=DAYS), now))
    except TooMany:
        return None


def openings(moments: Moments) -> int:
    """How many alerts are opened by verdicts in their order."""
    count, last_true, is_open = 0, None, False
    for at, verdict in moments:
        if verdict is Verdict.TRUE:
            count += not is_open
            is_open, last_true = True, at
        elif verdict is Verdict.FINE and last_true is not None and at - last_true >= QUIET_FOR:
            is_open = False
    return count


def _failed_calls(rule: AlertRule, since: dt.datetime, now: dt.datetime) -> Moments:
    calls = Call.objects.filter(
        organization=rule.organization_id, created_at__gte=since - rule.period, state__in=TERMINAL_STATES
    )
    rows = _few(calls.order_by("created_at").values_list("created_at", "state"))
    total = failed = first = 0
    for at, state in rows:
        total, failed = total + 1, failed + (state == CallState.FAILED)
        while rows[first][0] < at - rule.period:
            total, failed = total - 1, failed - (rows[first][1] == CallState.FAILED)
            first += 1
        if at >= since:
            yield at, failed_calls.judged(rule, total=total, failed=failed)


def _slow_responses(rule: AlertRule, since: dt.datetime, now: dt.datetime) -> Moments:
    turns = Turn.objects.filter(
        call__organization=rule.organization_id,
        call__created_at__gte=since - rule.period,
        response_ms__isnull=False,
    )
    rows = _few(turns.order_by("call__created_at").values_list("call__created_at", "response_ms"))
    counts, first = [0] * BUCKETS, 0
    for index, (at, response_ms) in enumerate(rows):
        counts[bucket_of(response_ms or 0)] += 1
        while rows[first][0] < at - rule.period:
            counts[bucket_of(rows[first][1] or 0)] -= 1
            first += 1
        is_last_of_call = index + 1 == len(rows) or rows[index + 1][0] != at
        if at >= since and is_last_of_call:
            yield at, slow_responses.judged(rule, counts)


def _no_calls(rule: AlertRule, since: dt.datetime, now: dt.datetime) -> Moments:
    schedule = load_schedule(rule.organization)
    earliest = since - dt.timedelta(weeks=no_calls.WEEKS, days=no_calls.DAYS_BACK)
    calls = inbound(rule.organization_id).filter(created_at__gte=earliest)
    times = _few(calls.order_by("created_at").values_list("created_at", flat=True))

    def between(begins: dt.datetime, ends: dt.datetime) -> int:
        return bisect_left(times, ends) - bisect_left(times, begins)

    for at in _steps(since, now, NO_CALLS_STEP):
        begins = no_calls.open_since(schedule, at, rule.period)
        if begins is None:
            yield at, Verdict.UNKNOWN
        elif between(begins, at):
            yield at, Verdict.FINE
        else:
            usual = [between(*stretch) for stretch in no_calls.earlier(begins, at, schedule.zone)]
            yield at, no_calls.judged(usual, rule)


def _spend(rule: AlertRule, since: dt.datetime, now: dt.datetime) -> Moments:
    """A day each, as it ended."""
    zone, span = rule.organization.zone, rule.window or 1
    today = now.astimezone(zone).date()
    days = [today - dt.timedelta(days=back) for back in range(DAYS + span, -1, -1)]
    rows = DayFigures.objects.filter(organization=rule.organization_id, day__gte=days[0], day__lt=today)
    costs: dict[dt.date, Decimal] = dict(rows.order_by().values_list("day").annotate(usd=Sum("cost_usd")))
    costs[today] = spend.cost_of_calls(rule, spend.midnight(today, zone))
    for index in range(span - 1, len(days)):
        spent = sum((costs.get(day, Decimal(0)) for day in days[index + 1 - span : index + 1]), Decimal(0))
        if days[index] >= since.astimezone(zone).date():
            yield spend.midnight(days[index], zone), spend.judged(rule, spent)


def _texts(rule: AlertRule, since: dt.datetime, now: dt.datetime) -> Moments:
    """What endpoints have not accepted is not kept for as long as this would need: texts alone."""
    missed = Text.objects.filter(failed_texts(rule.organization_id, since - rule.period, now))
    times = _few(missed.order_by("due_at").values_list("due_at", flat=True))
    for index, at in enumerate(times):
        count = index + 1 - bisect_left(times, at - rule.period)
        if index and at - times[index - 1] > rule.period + QUIET_FOR:
            yield at - QUIET_FOR, Verdict.FINE
        if at >= since:
            yield at, Verdict.TRUE if count >= (rule.threshold or 1) else Verdict.FINE


def _few(rows: QuerySet[Any, R]) -> list[R]:
    found = list(rows[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        raise TooMany
    return found


def _steps(since: dt.datetime, until: dt.datetime, step: dt.timedelta) -> Iterator[dt.datetime]:
    at = since
    while at <= until:
        yield at
        at += step


REPLAYS: Mapping[AlertKind, Callable[[AlertRule, dt.datetime, dt.datetime], Moments]] = {
    AlertKind.NO_CALLS: _no_calls,
    AlertKind.FAILED_CALLS: _failed_calls,
    AlertKind.SLOW_RESPONSES: _slow_responses,
    AlertKind.SPEND: _spend,
    AlertKind.DELIVERY: _texts,
}
