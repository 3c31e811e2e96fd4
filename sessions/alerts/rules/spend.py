"""Calls have cost more than the budget: today's from the calls, earlier days' from the counted figures."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Sum

from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import AlertRule
from sessions.analytics.models import DayFigures
from sessions.calls.models import Call


def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """Two queries at most."""
    zone = rule.organization.zone
    today = now.astimezone(zone).date()
    first = today - dt.timedelta(days=(rule.window or 1) - 1)
    since = midnight(first, zone)
    spent = cost_of_calls(rule, midnight(today, zone)) + cost_of_days(rule, first, today)
    facts = {"usd": f"{spent:.2f}", "budget": f"{rule.threshold:.2f}", "days": rule.window}
    return [Finding(judged(rule, spent), since, facts)]


def judged(rule: AlertRule, spent: Decimal) -> Verdict:
    return Verdict.TRUE if spent > (rule.threshold or 0) else Verdict.FINE


def cost_of_calls(rule: AlertRule, since: dt.datetime) -> Decimal:
    calls = Call.objects.filter(organization=rule.organization_id, created_at__gte=since)
    return calls.order_by().aggregate(usd=Sum("cost_usd"))["usd"] or Decimal(0)


def cost_of_days(rule: AlertRule, first: dt.date, until: dt.date) -> Decimal:
    """`until` is not included."""
    if first == until:
        return Decimal(0)
    days = DayFigures.objects.filter(organization=rule.organization_id, day__gte=first, day__lt=until)
    return days.order_by().aggregate(usd=Sum("cost_usd"))["usd"] or Decimal(0)


def midnight(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(0), zone).astimezone(dt.UTC)
