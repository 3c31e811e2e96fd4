"""More calls fail than usual: the AI provider, the carrier's connection or a server process breaks them off."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q

from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import AlertRule
from sessions.calls.models import TERMINAL_STATES, Call, CallState

# Of few calls one is a large part.
FEWEST_FAILED = 3


def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """One query, answered by the index `call_filters` alone."""
    since = now - rule.period
    calls = Call.objects.filter(organization=rule.organization_id, created_at__gte=since, state__in=TERMINAL_STATES)
    counted = calls.order_by().aggregate(total=Count("pk"), failed=Count("pk", filter=Q(state=CallState.FAILED)))
    total, failed = counted["total"], counted["failed"]
    return [Finding(judged(rule, total=total, failed=failed), since, facts_of(rule, total=total, failed=failed))]


def judged(rule: AlertRule, *, total: int, failed: int) -> Verdict:
    if not total:
        return Verdict.UNKNOWN
    if failed * 100 < (rule.threshold or 0) * total or not failed:
        return Verdict.FINE
    return Verdict.TRUE if failed >= FEWEST_FAILED else Verdict.UNKNOWN


def facts_of(rule: AlertRule, *, total: int, failed: int) -> dict[str, object]:
    percent = round(failed * 100 / total) if total else 0
    return {"failed": failed, "calls": total, "percent": percent, "minutes": rule.window}
