"""Reads of scenarios and of their newest runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from .expectations import Row, rows_of_json
from .models import Scenario, ScenarioRun

Newest = Mapping[tuple[int, str], ScenarioRun]


def newest_runs(scenario_ids: Collection[int]) -> Newest:
    """By scenario and target, in two queries however many there are. Without the conversations."""
    newest = ScenarioRun.objects.filter(scenario__in=scenario_ids).values("scenario", "target")
    ids = [each["newest"] for each in newest.order_by().annotate(newest=Max("pk"))]
    runs = ScenarioRun.objects.filter(pk__in=ids).defer("entries").select_related("version")
    return {(run.scenario_id, run.target): run for run in runs}


@dataclass(frozen=True, slots=True)
class Compared:
    """A line of the table: what was expected, and what draft and published version brought in its place."""

    expected: str
    got: Mapping[str, Row | None]


def compared(runs: Mapping[str, ScenarioRun]) -> Sequence[Compared]:
    """Lines that were expected first, in their order; then those that nobody expected."""
    of_target = {target: rows_of_json(run.rows) for target, run in runs.items()}
    expected = dict.fromkeys(row.expected for rows in of_target.values() for row in rows if row.expected)
    table = [Compared(line, {target: _row_of(rows, line) for target, rows in of_target.items()}) for line in expected]
    extra = {target: [row for row in rows if not row.expected and row.got] for target, rows in of_target.items()}
    for place in range(max(map(len, extra.values()), default=0)):
        table.append(Compared("", {target: _at(rows, place) for target, rows in extra.items()}))
    return table


def _row_of(rows: Sequence[Row], expected: str) -> Row | None:
    return next((row for row in rows if row.expected == expected), None)


def _at(rows: Sequence[Row], place: int) -> Row | None:
    return rows[place] if place < len(rows) else None


def scenarios_of_agent(agent_id: int) -> Sequence[Scenario]:
    return list(Scenario.objects.filter(agent=agent_id).select_related("agent__published_version").order_by("name"))
