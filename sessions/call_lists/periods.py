"""Periods that move with the day, so that a saved view of “today” is never out of date."""

from __future__ import annotations

import datetime as dt

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Period(TextChoices):
    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "7d", _("Last 7 days")
    LAST_30_DAYS = "30d", _("Last 30 days")
    THIS_MONTH = "month", _("This month")


def days_of(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day, both included."""
    match period:
        case Period.YESTERDAY:
            return today - dt.timedelta(days=1), today - dt.timedelta(days=1)
        case Period.LAST_7_DAYS:
            return today - dt.timedelta(days=6), today
        case Period.LAST_30_DAYS:
            return today - dt.timedelta(days=29), today
        case Period.THIS_MONTH:
            return today.replace(day=1), today
    return today, today
