"""The days that a page of figures is about, and those before them with which they are compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MOST_DAYS = 366
# Whole weeks, so that the period before has the same days of the week.
USUAL_DAYS = 28
PRESETS = ((1, _("Today")), (7, _("7 days")), (28, _("28 days")), (91, _("91 days")))


@dataclass(frozen=True, slots=True)
class DateRange:
    """Both days are part of it."""

    first: dt.date
    last: dt.date

    @classmethod
    def until(cls, last: dt.date, *, days: int) -> DateRange:
        return cls(last - dt.timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> DateRange:
        """As many days, up to the day before the first one."""
        return DateRange.until(self.first - dt.timedelta(days=1), days=self.days)

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[dt.date]:
        return (self.first + dt.timedelta(days=number) for number in range(self.days))

    @property
    def text(self) -> str:
        """“1 Nov 2026 to 28 Nov 2026”"""
        first, last = (formats.date_format(day, "SHORT_DATE_FORMAT") for day in (self.first, self.last))
        return first if first == last else gettext("%(first)s to %(last)s") % {"first": first, "last": last}
