"""The page of analytics, and the same figures as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext

from agents.hours.local_time import zones_differ
from agents.organizations.access import access_of
from sessions.analytics.figures import Figures
from sessions.calls.topics import CallTopic
from voiceapp.core.spreadsheets import BYTE_ORDER_MARK, escaped

from .charts import charts_of, share
from .date_range import PRESETS, DateRange
from .filters import BY, FiguresForm, make_form
from .links import calls_with_topic, found_in_all, found_in_group
from .measures import Measure, change_text, measures_of
from .places import Places, principal_of_figures, sees_figures
from .report import Report, read_report

# Charts of a time have a bar for each group; the others are read in the table alone.
CHARTED = ("day", "hour")


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    hint: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """`share` is that of the calls, in thousandths of the greatest."""

    label: str
    share: int
    cells: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Topic:
    """`share` is that of the calls, in thousandths of the most frequent one's."""

    label: str
    calls: int
    before: int
    share: int
    url: str


def analytics(request: HttpRequest) -> HttpResponse:
    """Needs a role that reads calls, orders and appointments of an organization."""
    access = access_of(request)
    if not sees_figures(access):
        raise PermissionDenied
    principal = principal_of_figures(access)
    places = Places.of(request, principal, timezone.now())
    form = make_form(request, principal, places)
    report = read_report(form.question(), principal, places)
    measures = measures_of([report.now, report.before])
    if request.GET.get("format") == "csv":
        return as_csv(report, measures)
    return TemplateResponse(request, "admin/analytics/page.html", _context(request, form, report, measures, places))


def _context(
    request: HttpRequest, form: FiguresForm, report: Report, measures: list[Measure], places: Places
) -> dict[str, Any]:
    question = report.question
    is_charted = question.by in CHARTED
    return {
        **admin.site.each_context(request),
        "title": gettext("Analytics"),
        "form": form,
        "question": question,
        "by": dict(BY)[question.by],
        "tabs": [(label, _address(request, by=name), name == question.by) for name, label in BY],
        "presets": [_preset(request, days, str(label), places, question.period) for days, label in PRESETS],
        "tiles": tiles_of(report, measures, places),
        "measures": measures,
        "charts": charts_of(report) if is_charted else [],
        "rows": rows_of(report, measures, places),
        "topics": topics_of(report, places),
        "has_bars": not is_charted,
        "csv": _address(request, format="csv"),
        "zone": "" if zones_differ() else timezone.get_current_timezone_name(),
        "costed": (report.now.costed, report.now.talked),
    }


def _preset(request: HttpRequest, days: int, label: str, places: Places, period: DateRange) -> tuple[str, str, bool]:
    usual = DateRange.until(places.last_today, days=days)
    return label, _address(request, **{"from": usual.first.isoformat(), "to": usual.last.isoformat()}), usual == period


def _address(request: HttpRequest, **changes: str) -> str:
    """The same page, but for these."""
    asked = request.GET.copy()
    asked.pop("format", None)
    for name, value in changes.items():
        asked[name] = value
    return f"?{asked.urlencode()}"


def tiles_of(report: Report, measures: list[Measure], places: Places) -> list[Tile]:
    found = found_in_all(report.question, places)
    tiles = []
    for measure in measures:
        hint = change_text(measure, report.now, report.before)
        tiles.append(Tile(str(measure.label), measure.shown(report.now), hint, measure.icon, found.url(measure)))
        if measure.name == "cost_usd" and report.now.costed:
            per_day = measure.text(report.now.cost_usd / report.question.period.days)
            before = measure.text(report.before.cost_usd / report.question.period.days)
            tiles.append(
                Tile(
                    gettext("Cost per day"),
                    per_day,
                    gettext("Before: %(before)s") % {"before": before},
                    measure.icon,
                    found.url(measure),
                )
            )
    return tiles


def rows_of(report: Report, measures: list[Measure], places: Places) -> list[Row]:
    most = max([0, *(group.now.calls for group in report.groups)])
    found = []
    for group in report.groups:
        behind = found_in_group(report.question, places, group.key)
        cells = [
            (measure.shown(group.now), behind.url(measure) if measure.read(group.now) else "") for measure in measures
        ]
        found.append(Row(str(group.label), share(group.now, most), cells))
    return found


def topics_of(report: Report, places: Places) -> list[Topic]:
    """Most calls first."""
    most = max(report.topics.values(), default=0)
    return [
        Topic(
            str(CallTopic(topic).label),
            calls,
            report.topics_before[topic],
            calls * 1000 // most,
            calls_with_topic(report.question, places, topic),
        )
        for topic, calls in report.topics.most_common()
        if topic in CallTopic.values
    ]


def as_csv(report: Report, measures: list[Measure]) -> HttpResponse:
    """Plain numbers: seconds, milliseconds, shares of 1, and money in the currency that the column names."""
    text = io.StringIO()
    sheet = csv.writer(text)
    by, period = report.question.by, report.question.period
    sheet.writerow([by, *(measure.name for measure in measures)])
    for group in report.groups:
        label = group.key.isoformat() if by == "day" else str(group.label)
        sheet.writerow([escaped(label), *_numbers(group.now, measures)])
    sheet.writerow(["total", *_numbers(report.now, measures)])
    sheet.writerow([gettext("total before"), *_numbers(report.before, measures)])
    response = HttpResponse(BYTE_ORDER_MARK + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"analytics-by-{by}-{period.first}-{period.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _numbers(figures: Figures, measures: list[Measure]) -> list[object]:
    values = (measure.read(figures) for measure in measures)
    return ["" if value is None else round(value, 6) if isinstance(value, float) else value for value in values]
