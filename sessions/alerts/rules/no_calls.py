"""No call for some open hours, although at this time of this weekday some usually come.

A new organization is never alarmed: it needs three weeks of the last four with calls at the same time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from agents.hours.queries import load_schedule
from agents.hours.schedule import Schedule
from sessions.alerts.calls_behind import inbound
from sessions.alerts.finding import Finding, Verdict
from sessions.alerts.models import AlertRule

WEEKS, WEEKS_NEEDED = 4, 3
Stretch = tuple[dt.datetime, dt.datetime]
# Open hours are looked for so many days back.
DAYS_BACK = 7


def find(rule: AlertRule, now: dt.datetime) -> list[Finding]:
    """Two queries where a call came, six where none did."""
    schedule = load_schedule(rule.organization)
    since = open_since(schedule, now, rule.period)
    if since is None:
        return [Finding(Verdict.UNKNOWN, now)]
    if calls_between(rule, since, now):
        return [Finding(Verdict.FINE, since)]
    weeks = list(earlier(since, now, schedule.zone))
    usual = [calls_between(rule, *stretch) for stretch in weeks]
    return [Finding(judged(usual, rule), since, facts_of(rule, weeks, usual))]


def judged(usual: Sequence[int], rule: AlertRule) -> Verdict:
    """`usual`: how many calls came at the same time, week by week."""
    weeks = sum(count >= (rule.threshold or 1) for count in usual)
    return Verdict.TRUE if weeks >= WEEKS_NEEDED else Verdict.UNKNOWN


def facts_of(rule: AlertRule, weeks: Sequence[Stretch], usual: Sequence[int]) -> dict[str, object]:
    times = [[at.isoformat() for at in stretch] for stretch in weeks]
    return {"hours": rule.window, "usual": round(sum(usual) / len(usual)), "weeks": times}


def open_since(schedule: Schedule, now: dt.datetime, hours: dt.timedelta) -> dt.datetime | None:
    """So many open hours before now, across days where one is too short; None while closed, or if there are none."""
    if not schedule.is_open_at(now):
        return None
    left, reached = hours, now
    today = now.astimezone(schedule.zone).date()
    for days in range(DAYS_BACK + 1):
        for opens, closes in reversed(schedule.spans_of(today - dt.timedelta(days=days))):
            end = min(closes, reached)
            if opens >= end:
                continue
            if end - opens >= left:
                return end - left
            left, reached = left - (end - opens), opens
    return None


def earlier(since: dt.datetime, until: dt.datetime, zone: dt.tzinfo) -> Iterator[Stretch]:
    """The same local times of the weeks before."""
    for week in range(1, WEEKS + 1):
        begins, ends = (_weeks_before(at, week, zone) for at in (since, until))
        yield begins, ends


def _weeks_before(at: dt.datetime, weeks: int, zone: dt.tzinfo) -> dt.datetime:
    """On the clock of that zone, whatever was done to it meanwhile."""
    return (at.astimezone(zone) - dt.timedelta(weeks=weeks)).astimezone(dt.UTC)


def calls_between(rule: AlertRule, since: dt.datetime, until: dt.datetime) -> int:
    return inbound(rule.organization_id).filter(created_at__gte=since, created_at__lt=until).count()
