"""Charts as SVG, computed here: the page needs no script, and each has its figures as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils import formats
from django.utils.translation import gettext

from sessions.analytics.figures import Figures

from .measures import ANSWERED_CALLS, BOOKINGS, CALLS, COST, MISSED_CALLS, ORDERS, P50, P95, Measure, Value, revenue_in
from .report import Group, Report

HEIGHT = 100.0
# Of the picture's width, for each group.
STEP, BAR = 20.0, 14.0
MOST_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    css: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Series:
    """`css` is its color."""

    measure: Measure
    css: str


@dataclass(slots=True)
class Chart:
    """`line`: the points of the period before. `top` is what the greatest bar stands for."""

    name: str
    title: str
    summary: str
    width: float
    top: str
    series: Sequence[Series]
    bars: list[Bar] = field(default_factory=list)
    line: str = ""
    ticks: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[str]]] = field(default_factory=list)


def charts_of(report: Report) -> list[Chart]:
    """Of days and hours; those of which there is nothing to show are left out."""
    currencies = sorted({currency for group in report.groups for currency in group.now.revenue})
    answered, missed = Series(ANSWERED_CALLS, "va-answered"), Series(MISSED_CALLS, "va-missed")
    charts = [
        _chart(report, "calls", gettext("Calls"), (answered, missed), is_stacked=True, before=CALLS),
        _chart(report, "response", gettext("Response time"), (Series(P95, "va-p95"), Series(P50, "va-p50"))),
        _chart(
            report,
            "orders",
            gettext("Orders and bookings"),
            (Series(ORDERS, "va-answered"), Series(BOOKINGS, "va-missed")),
            is_stacked=True,
        ),
        *(
            _chart(
                report,
                f"revenue-{currency}",
                gettext("Revenue (%(currency)s)") % {"currency": currency},
                (Series(revenue_in(currency), "va-answered"),),
            )
            for currency in currencies
        ),
        _chart(report, "cost", gettext("Cost (USD)"), (Series(COST, "va-missed"),)),
    ]
    return [chart for chart in charts if chart.bars]


def _chart(
    report: Report,
    name: str,
    title: str,
    series: Sequence[Series],
    *,
    is_stacked: bool = False,
    before: Measure | None = None,
) -> Chart:
    """Bars of one group are stacked, or the first one stands behind the others."""
    groups = report.groups
    by_day = report.question.by == "day"
    values = [[_number(each.measure.read(group.now)) for each in series] for group in groups]
    old = [_number(before.read(group.before)) for group in groups] if before is not None and by_day else []
    most = max([0.0, *old, *((sum if is_stacked else max)(each) for each in values)])
    chart = Chart(name, title, "", max(len(groups), 1) * STEP, "", series)
    if not any(map(any, values)):
        return chart
    chart.top = _text_of_most(series, most)
    for at, (group, heights) in enumerate(zip(groups, values, strict=True)):
        chart.bars += _bars(at, [height / most * HEIGHT for height in heights], series, is_stacked=is_stacked)
        chart.rows.append((str(group.label), [each.measure.shown(group.now) for each in series]))
    chart.line = " ".join(
        f"{at * STEP + STEP / 2:.1f},{HEIGHT - value / most * HEIGHT:.1f}" for at, value in enumerate(old)
    )
    chart.summary = _summary(title, groups, series, values)
    every = -(-len(groups) // MOST_TICKS)
    chart.ticks = ["" if at % every else _tick(group) for at, group in enumerate(groups)]
    return chart


def _tick(group: Group) -> str:
    """A day without its weekday."""
    return formats.date_format(group.key, "j M") if isinstance(group.key, dt.date) else str(group.label)


def _bars(at: int, heights: Sequence[float], series: Sequence[Series], *, is_stacked: bool) -> list[Bar]:
    bars, below = [], 0.0
    for each, height in zip(series, heights, strict=True):
        if height:
            x = at * STEP + (STEP - BAR) / 2
            bars.append(Bar(each.css, x, round(HEIGHT - below - height, 2), BAR, round(height, 2)))
        if is_stacked:
            below += height
    return bars


def _summary(title: str, groups: Sequence[Group], series: Sequence[Series], values: Sequence[Sequence[float]]) -> str:
    """For those who do not see the chart: what it is of, and where it is highest."""
    highest = max(range(len(groups)), key=lambda at: max(values[at]))
    said = ", ".join(f"{each.measure.label.lower()} {each.measure.shown(groups[highest].now)}" for each in series)
    return gettext("%(title)s, %(groups)s to %(groups_2)s. Highest on %(groups_3)s: %(said)s.") % {
        "title": title,
        "groups": groups[0].label,
        "groups_2": groups[-1].label,
        "groups_3": groups[highest].label,
        "said": said,
    }


def _text_of_most(series: Sequence[Series], most: float) -> str:
    text: Callable[[Value], str] = series[0].measure.text
    return text(round(most) if most == round(most) else most)


def _number(value: Value) -> float:
    return float(value or 0)


def share(figures: Figures, most: int) -> int:
    """In thousandths of the picture's width."""
    return figures.calls * 1000 // most if most else 0
