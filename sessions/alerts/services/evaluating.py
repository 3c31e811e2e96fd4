"""Evaluates the rules of each organization once a minute. May run twice at once, and be killed at any point.

Who claims an organization evaluates it: a guarded update of its rules. If that process dies, the next run evaluates the
organization again, and whatever was committed meanwhile stands: nothing depends on a run that is complete.
"""

from __future__ import annotations

import datetime as dt
from time import monotonic
from uuid import UUID

import structlog
from django.db.models import F, Min, Q
from django.utils import timezone

from agents.organizations.models import Organization
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import AlertRule
from sessions.alerts.rules.registry import FINDERS

from .rules import make_missing_rules
from .settling import settle, switch_off

logger = structlog.get_logger("alerts")

# A little less than the time between two runs.
EVALUATED_EVERY = dt.timedelta(seconds=50)
# No task outlives its time limit; the organizations that are left come first in the next run.
LONGEST_RUN_S = 30.0


def evaluate_due() -> int:
    """All organizations whose turn it is; how many there were."""
    make_missing_rules()
    stop_at, evaluated = monotonic() + LONGEST_RUN_S, 0
    due = AlertRule.objects.filter(_is_due(timezone.now())).order_by().values("organization")
    oldest = due.annotate(last=Min("evaluated_at")).order_by(F("last").asc(nulls_first=True))
    for organization_id in list(oldest.values_list("organization", flat=True)):
        if monotonic() > stop_at:
            break
        now = timezone.now()
        if claim(organization_id, now):
            evaluate(organization_id, now)
            evaluated += 1
    return evaluated


def claim(organization_id: UUID, now: dt.datetime) -> bool:
    """Whether nobody else has it in this minute."""
    rules = AlertRule.objects.filter(_is_due(now), organization=organization_id)
    return bool(rules.update(evaluated_at=now))


def _is_due(now: dt.datetime) -> Q:
    return Q(evaluated_at=None) | Q(evaluated_at__lte=now - EVALUATED_EVERY)


def evaluate(organization_id: UUID, now: dt.datetime) -> None:
    """Each rule by itself: one that breaks keeps no other from being evaluated."""
    organization = Organization.objects.prefetch_related("opening_hours", "special_days").get(pk=organization_id)
    for rule in AlertRule.objects.filter(organization=organization_id).order_by("pk"):
        rule.organization = organization
        try:
            _evaluate(rule, now)
        except Exception:
            logger.exception("alert rule not evaluated", rule=rule.kind, organization=str(organization_id))


def _evaluate(rule: AlertRule, now: dt.datetime) -> None:
    find = FINDERS.get(AlertKind(rule.kind))
    if not rule.is_on or find is None:
        switch_off(rule, now)
        return
    settle(rule, find(rule, now), now)
