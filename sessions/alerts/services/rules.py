"""The six rules of each organization: made when they are first needed, with the values of kinds.py."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from agents.organizations.models import Organization
from sessions.alerts.kinds import SPECS, AlertKind
from sessions.alerts.models import AlertRule


def make_missing_rules(of: Q | None = None) -> int:
    """For the organizations that lack some, or for those of `of` only; of how many. Safe to repeat and to do twice."""
    counted = Organization.objects.filter(of or Q()).order_by().annotate(rules=Count("alert_rules"))
    lacking = list(counted.filter(rules__lt=len(AlertKind)).values_list("pk", flat=True))
    AlertRule.objects.bulk_create(default_rules(lacking), ignore_conflicts=True, batch_size=500)
    return len(lacking)


def default_rules(organization_ids: Iterable[UUID]) -> list[AlertRule]:
    return [
        AlertRule(
            organization_id=organization_id,
            kind=kind,
            threshold=spec.threshold.default if spec.threshold else None,
            window=int(spec.window.default) if spec.window else None,
        )
        for organization_id in organization_ids
        for kind, spec in SPECS.items()
    ]
