"""An open alert of the demo and a snoozed one, noticed by its rules themselves in the calls of the last days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from agents.organizations.models import Organization
from sessions.alerts.kinds import AlertKind
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.services.evaluating import evaluate
from sessions.alerts.services.handling import snooze
from sessions.alerts.services.rules import make_missing_rules
from sessions.messages.models import OutboxMessage

# What a demo's calls exceed, so that there is something to see.
TIGHT = {
    AlertKind.SLOW_RESPONSES: (Decimal("1.0"), 1440),
    AlertKind.SPEND: (Decimal("0.10"), 7),
}


def raise_alerts(organization: Organization) -> None:
    """Once: a second run changes no rule that somebody has set."""
    make_missing_rules()
    if Alert.objects.filter(organization=organization).exists():
        return
    for kind, (threshold, window) in TIGHT.items():
        AlertRule.objects.filter(organization=organization, kind=kind).update(threshold=threshold, window=window)
    now = timezone.now()
    evaluate(organization.pk, now)
    for alert in Alert.objects.filter(organization=organization, kind=AlertKind.SPEND):
        snooze(alert, until=now + dt.timedelta(days=3), by="demo")
    # Nothing of the demo's past is sent anywhere.
    abouts = [f"alert:{alert.pk}" for alert in Alert.objects.filter(organization=organization)]
    OutboxMessage.objects.filter(about__in=abouts).update(state=OutboxMessage.State.DONE)
