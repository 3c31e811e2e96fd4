"""Calls of some time ago, and the rules of an organization."""

from __future__ import annotations

import datetime as dt

from agents.organizations.models import Organization
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import AlertRule
from sessions.alerts.services.evaluating import evaluate
from sessions.alerts.services.rules import make_missing_rules
from sessions.calls.models import Call, CallState


def rule_of(organization: Organization, kind: AlertKind, **values: object) -> AlertRule:
    """The organization's rule of that kind, with these values; all others are off."""
    make_missing_rules()
    AlertRule.objects.filter(organization=organization).exclude(kind=kind).update(is_on=False)
    rule = AlertRule.objects.get(organization=organization, kind=kind)
    for name, value in values.items():
        setattr(rule, name, value)
    rule.save()
    return rule


def make_calls(organization: Organization, count: int, *, at: dt.datetime, **values: object) -> list[Call]:
    """All at the same time."""
    defaults: dict[str, object] = {"state": CallState.COMPLETED, "dialed_number": "+4930231251"}
    calls = Call.objects.bulk_create(Call(organization=organization, **(defaults | values)) for _ in range(count))
    Call.objects.filter(pk__in=[call.pk for call in calls]).update(created_at=at)
    return calls


def run(organization: Organization, now: dt.datetime) -> None:
    """What a worker does at that time."""
    evaluate(organization.pk, now)
