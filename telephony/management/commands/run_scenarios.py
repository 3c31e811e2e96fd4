"""`manage.py run_scenarios`: run an agent's scenarios and show what differs; the exit code is for CI."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from agents.configuration.models import Agent
from telephony.scenarios.expectations import rows_of_json
from telephony.scenarios.models import Scenario, ScenarioRun, Verdict, scenario_runs
from telephony.scenarios.queries import scenarios_of_agent
from telephony.scenarios.services import start_runs
from voiceapp.core.errors import ApplicationError

TARGETS = {"draft": ("draft",), "published": ("published",), "both": ("draft", "published")}
# A worker may have taken a run before this process did.
WAITS_S = 600
FAILED, NOT_RUN = 1, 2


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # their warnings are for those who serve
    help = (
        "Run the scenarios of an agent. Exits with 1 if one failed, with 2 if one could not be run. "
        "Example: manage.py run_scenarios --agent Sofia --against draft"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--agent", required=True, help="the agent's name or ID")
        parser.add_argument("--organization", metavar="SLUG", help="whose agent, where several have that name")
        parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one; may be repeated")
        parser.add_argument("--against", choices=sorted(TARGETS), default="both", help="default: both")
        parser.add_argument("--json", action="store_true", help="print one JSON object per run on stdout")

    def handle(self, *args: object, **options: object) -> None:
        agent = agent_named(str(options["agent"]), str(options["organization"] or ""))
        scenarios = chosen(agent, options["scenario"])
        try:
            started = start_runs(agent, scenarios, TARGETS[str(options["against"])], by="run_scenarios")
        except ApplicationError as exc:
            raise CommandError(str(exc), returncode=NOT_RUN) from exc
        if started.has_no_version:
            self.stderr.write("The agent has no published version: only the draft is run.")
        runs = [finished(run) for run in started.runs]
        for run in runs:
            if options["json"]:
                self.stdout.write(json.dumps(as_data(run), ensure_ascii=False))
            else:
                self.stdout.write(as_text(run))
        verdicts = {run.verdict for run in runs}
        if verdicts - {Verdict.PASSED}:
            sys.exit(FAILED if verdicts <= {Verdict.PASSED, Verdict.FAILED} else NOT_RUN)


def agent_named(name: str, organization: str) -> Agent:
    agents = Agent.objects.select_related("organization")
    if organization:
        agents = agents.filter(organization__slug=organization)
    found = list(agents.filter(pk=int(name)) if name.isdecimal() and len(name) < 18 else agents.filter(name=name))
    if not found:
        names = ", ".join(agents.order_by("name").values_list("name", flat=True)[:10])
        raise CommandError(f"There is no agent {name}. There are: {names or 'none'}.", returncode=NOT_RUN)
    if len(found) > 1:
        slugs = ", ".join(sorted(each.organization.slug for each in found))
        raise CommandError(f"Several agents are called {name}. Add --organization: {slugs}.", returncode=NOT_RUN)
    return found[0]


def chosen(agent: Agent, names: object) -> Sequence[Scenario]:
    scenarios = scenarios_of_agent(agent.pk)
    if not isinstance(names, list):
        return scenarios
    if missing := set(names) - {each.name for each in scenarios}:
        there = ", ".join(each.name for each in scenarios) or "none"
        raise CommandError(
            f"There is no scenario {', '.join(sorted(missing))}. There are: {there}.", returncode=NOT_RUN
        )
    return [each for each in scenarios if each.name in names]


def finished(run: ScenarioRun) -> ScenarioRun:
    """Run here, or wait for the worker that has it already."""
    give_up_at = time.monotonic() + WAITS_S
    while scenario_runs.process_now(run) is None and time.monotonic() < give_up_at:
        run.refresh_from_db(fields=["state"])
        if not run.is_running:
            break
        time.sleep(0.5)
    return ScenarioRun.objects.select_related("scenario", "version").get(pk=run.pk)


def as_text(run: ScenarioRun) -> str:
    against = f"version {run.version.number}" if run.version else "draft"
    verdict = Verdict(run.verdict).label if run.verdict else "Not finished"
    lines = [f"{verdict}: {run.scenario.name} ({against}, {run.duration_ms or 0} ms)"]
    if run.reason:
        lines.append(f"    {run.reason}")
    for row in rows_of_json(run.rows):
        if not row.is_same:
            lines.append(f"    expected: {row.expected or '–'}")
            lines.append(f"    got:      {row.got or '–'}")
    return "\n".join(lines)


def as_data(run: ScenarioRun) -> dict[str, object]:
    return {
        "scenario": run.scenario.name,
        "against": run.target,
        "version": run.version.number if run.version else None,
        "result": run.verdict or "not_finished",
        "reason": run.reason,
        "differences": [row.as_json() for row in rows_of_json(run.rows) if not row.is_same],
        "made": run.made,
        "duration_ms": run.duration_ms,
    }
