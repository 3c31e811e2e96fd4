"""What others should receive does not arrive: an endpoint accepts no webhooks, or texts fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q

from sessions.alerts.calls_behind import failed_texts
from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.kinds import TEXTS
from sessions.alerts.models import AlertRule
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.texts.models import Text


def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """Two queries. An endpoint that is not in the list accepts what it gets."""
    return [*_endpoints(rule, now), _texts(rule, now)]


def _endpoints(rule: AlertRule, now: dt.datetime) -> Iterator[Finding]:
    """Those that we have paused, too; not those that a person has."""
    is_paused_by_us = Q(paused_at__isnull=False) & ~Q(pause_reason="")
    is_failing = Q(failing_since__lte=now - rule.period, paused_at=None)
    endpoints = WebhookEndpoint.objects.filter(organization=rule.organization_id)
    for endpoint in endpoints.filter(is_failing | is_paused_by_us):
        since = endpoint.failing_since or endpoint.paused_at or now
        facts = {"is_paused": endpoint.is_paused}
        yield Finding(Verdict.TRUE, since, facts, subject=str(endpoint.pk), subject_name=endpoint.name)


def _texts(rule: AlertRule, now: dt.datetime) -> Finding:
    since = now - rule.period
    failed = Text.objects.filter(failed_texts(rule.organization_id, since, now)).count()
    verdict = Verdict.TRUE if failed >= (rule.threshold or 1) else Verdict.FINE
    facts = {"failed": failed, "minutes": rule.window}
    return Finding(verdict, since, facts, subject=TEXTS)
