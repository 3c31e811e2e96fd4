"""The agent answers slowly: the 95th percentile of the response times, as the analytics count it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Count

from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import AlertRule
from sessions.analytics.response_times import BUCKETS, bucket_of, percentile_ms
from sessions.calls.models import Turn

FEWEST_RESPONSES = 20


def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """One query: the turns of the calls that began within the period, counted by the database."""
    since = now - rule.period
    turns = Turn.objects.filter(
        call__organization=rule.organization_id, call__created_at__gte=since, response_ms__isnull=False
    )
    counts = [0] * BUCKETS
    for response_ms, count in turns.order_by().values_list("response_ms").annotate(count=Count("pk")):
        counts[bucket_of(response_ms or 0)] += count
    return [Finding(judged(rule, counts), since, facts_of(rule, counts))]


def judged(rule: AlertRule, counts: Sequence[int]) -> Verdict:
    """`counts`: how many responses each bucket has."""
    if sum(counts) < FEWEST_RESPONSES:
        return Verdict.UNKNOWN
    return Verdict.TRUE if (percentile_ms(counts, 95) or 0) >= threshold_ms(rule) else Verdict.FINE


def threshold_ms(rule: AlertRule) -> int:
    return int((rule.threshold or 0) * 1000)


def facts_of(rule: AlertRule, counts: Sequence[int]) -> dict[str, object]:
    p95 = percentile_ms(counts, 95) or 0
    return {
        "p95_ms": round(p95),
        "responses": sum(counts),
        "threshold_ms": threshold_ms(rule),
        "minutes": rule.window,
    }
