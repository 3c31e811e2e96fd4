"""What people do with an alert: snooze it, wake it, take care of it. Each is a guarded update."""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions.alerts.models import LONGEST_NAME, Alert
from voiceapp.core.batches import delete_in_batches
from voiceapp.core.errors import ApplicationError

MOST_DAYS = 30
ONE_HOUR = dt.timedelta(hours=1)


class NotOpen(ApplicationError):
    def __init__(self) -> None:
        super().__init__(_("This alert is over: nothing has to be done any more."))


def snooze(alert: Alert, *, until: dt.datetime, by: str) -> None:
    """Nobody is notified or reminded until then, also if it ends and begins again meanwhile. Raises NotOpen."""
    unresolved = Alert.objects.unresolved().filter(pk=alert.pk)
    if not unresolved.update(snoozed_until=until, snoozed_by=by[:LONGEST_NAME]):
        raise NotOpen
    alert.refresh_from_db()


def tomorrow(alert: Alert, now: dt.datetime) -> dt.datetime:
    """The first minute of the organization's next day."""
    return days_from(alert, now, 1)


def days_from(alert: Alert, now: dt.datetime, days: int) -> dt.datetime:
    """Midnight of the organization's day after so many."""
    zone = alert.organization.zone
    day = now.astimezone(zone).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(0), zone).astimezone(dt.UTC)


def read_days(typed: str) -> int:
    """Raises ApplicationError with what can be entered."""
    days = int(typed) if re.fullmatch("[0-9]{1,4}", typed) else 0
    if not 1 <= days <= MOST_DAYS:
        raise ApplicationError(_("Enter a number of days from 1 to %(most)s.") % {"most": MOST_DAYS})
    return days


def wake(alert: Alert) -> None:
    """Raises NotOpen."""
    if not Alert.objects.unresolved().filter(pk=alert.pk).update(snoozed_until=None, snoozed_by=""):
        raise NotOpen
    alert.refresh_from_db()


def acknowledge(alert: Alert, *, by: str, now: dt.datetime) -> bool:
    """Somebody takes care of it: nobody is reminded any more. False if somebody did already. Raises NotOpen."""
    unresolved = Alert.objects.unresolved().filter(pk=alert.pk)
    is_first = unresolved.filter(acknowledged_at=None).update(acknowledged_at=now, acknowledged_by=by[:LONGEST_NAME])
    if not is_first and not unresolved.exists():
        raise NotOpen
    alert.refresh_from_db()
    return bool(is_first)


def purge_alerts() -> int:
    """Delete those that have been over for longer than they are kept; how many there were."""
    over_before = timezone.now() - dt.timedelta(days=settings.ALERT_KEEP_DAYS)
    return delete_in_batches(Alert.objects.filter(resolved_at__lt=over_before))
