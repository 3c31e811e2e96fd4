"""What becomes of a finding: an alert is opened, noticed again, or resolved. Each step is a transaction of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import Alert, AlertRule

from .notifying import Occasion, tell

# What is true and not true by turns stays one alert.
QUIET_FOR = dt.timedelta(minutes=15)
# An alert about which nothing can be measured any more is over after so long.
STALE_AFTER = dt.timedelta(days=3)
REMINDED_EVERY = dt.timedelta(days=1)
Resolution = Alert.Resolution


def settle(rule: AlertRule, findings: Iterable[Finding], now: dt.datetime) -> None:
    """Compare what was found with the alerts that are open. One query where nothing is true and none is open."""
    known = {alert.subject: alert for alert in alerts_of(rule)}
    for finding in findings:
        alert = known.pop(finding.subject, None)
        if finding.verdict is Verdict.TRUE:
            open_alert(rule, finding, now) if alert is None else notice_again(rule, alert, finding, now)
        elif alert is not None:
            _end_if_over(rule, alert, finding.verdict, now)
    for alert in known.values():
        _end_if_over(rule, alert, Verdict.FINE, now)


def alerts_of(rule: AlertRule) -> list[Alert]:
    alerts = Alert.objects.unresolved().filter(organization=rule.organization_id, kind=rule.kind)
    return list(alerts.select_related("organization"))


def open_alert(rule: AlertRule, finding: Finding, now: dt.datetime) -> Alert | None:
    """None if another process was faster. One whose last alert is still snoozed begins snoozed: nobody is notified."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                organization=rule.organization,
                kind=rule.kind,
                subject=finding.subject,
                subject_name=finding.subject_name,
                facts=dict(finding.facts),
                since=finding.since,
                opened_at=now,
                last_at=now,
                **_snooze_before(rule, finding, now),
            )
            if alert.snoozed_until is None:
                Alert.objects.filter(pk=alert.pk).update(told_at=now)
                tell(rule, alert, Occasion.RAISED)
    except IntegrityError:
        return None
    return alert


def _snooze_before(rule: AlertRule, finding: Finding, now: dt.datetime) -> dict[str, object]:
    same = Alert.objects.filter(organization=rule.organization_id, kind=rule.kind, subject=finding.subject)
    before = same.filter(snoozed_until__gt=now).order_by("-opened_at").first()
    return {} if before is None else {"snoozed_until": before.snoozed_until, "snoozed_by": before.snoozed_by}


def notice_again(rule: AlertRule, alert: Alert, finding: Finding, now: dt.datetime) -> None:
    """Nobody is notified again, but reminded at most once a day."""
    with transaction.atomic():
        unresolved = Alert.objects.unresolved().filter(pk=alert.pk)
        facts = dict(finding.facts)
        if not unresolved.update(count=F("count") + 1, last_at=now, facts=facts, subject_name=finding.subject_name):
            return
        is_new = alert.told_at is None  # it began snoozed
        if unresolved.filter(needs_reminder(now)).update(
            told_at=now if is_new else alert.told_at,
            reminded_at=now,
            reminders=F("reminders") + 1,
            snoozed_until=None,
        ):
            alert.refresh_from_db()
            tell(rule, alert, Occasion.RAISED if is_new else Occasion.REMINDER)


def needs_reminder(now: dt.datetime) -> Q:
    """A day after people were notified last, or when a snooze is over; not while somebody takes care of it."""
    a_day_ago = now - REMINDED_EVERY
    is_awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    was_reminded_lately = Q(reminded_at__gt=a_day_ago)
    was_told_lately = Q(told_at__gt=a_day_ago, snoozed_until=None)
    return Q(acknowledged_at=None) & is_awake & ~was_reminded_lately & ~was_told_lately


def _end_if_over(rule: AlertRule, alert: Alert, verdict: Verdict, now: dt.datetime) -> None:
    if verdict is Verdict.FINE and alert.last_at <= now - QUIET_FOR:
        resolve(rule, alert, Resolution.OVER, now)
    elif verdict is Verdict.UNKNOWN and alert.last_at <= now - STALE_AFTER:
        resolve(rule, alert, Resolution.NOTHING_TO_MEASURE, now)


def switch_off(rule: AlertRule, now: dt.datetime) -> None:
    for alert in alerts_of(rule):
        resolve(rule, alert, Resolution.SWITCHED_OFF, now)


def resolve(rule: AlertRule, alert: Alert, resolution: Resolution, now: dt.datetime) -> None:
    """Those who were notified that it began are notified that it is over, unless it is snoozed."""
    with transaction.atomic():
        # What was noticed again meanwhile is not over.
        unresolved = Alert.objects.unresolved().filter(pk=alert.pk, last_at=alert.last_at)
        if not unresolved.update(resolved_at=now, resolution=resolution):
            return
        alert.refresh_from_db()
        is_snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
        if alert.told_at is not None:
            tell(rule, alert, Occasion.RESOLVED, is_quiet=is_snoozed)
