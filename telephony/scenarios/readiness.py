"""Whether the agent's scenarios pass: the checklist's part before publishing."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level

from .models import Scenario, ScenarioRun, Verdict
from .queries import newest_runs, scenarios_of_agent
from .services import is_stale


def check_scenarios(agent: Agent) -> Check:
    """A failing scenario warns and does not block: whoever publishes may know better."""
    name, scenarios = _("Scenarios"), scenarios_of_agent(agent.pk)
    if not scenarios:
        return Check(name, Level.GOOD, _("There is no scenario yet: one shows what a change breaks."), Scenario)
    runs = newest_runs([each.pk for each in scenarios])
    of_draft = [(each, runs.get((each.pk, ScenarioRun.Target.DRAFT))) for each in scenarios]
    failing = [(each, run) for each, run in of_draft if run is not None and run.verdict == Verdict.FAILED]
    if failing:
        text = ngettext(
            "%(count)d scenario fails with the draft: %(names)s.",
            "%(count)d scenarios fail with the draft: %(names)s.",
            len(failing),
        ) % {"count": len(failing), "names": ", ".join(f"“{each}”" for each, _run in failing[:3])}
        return Check(name, Level.DOUBTFUL, text, failing[0][0], warns=True)
    unknown = [each for each, run in of_draft if run is None or run.verdict != Verdict.PASSED or _is_old(run, each)]
    if unknown:
        text = ngettext(
            "%(count)d scenario has not been run with this draft: %(names)s.",
            "%(count)d scenarios have not been run with this draft: %(names)s.",
            len(unknown),
        ) % {"count": len(unknown), "names": ", ".join(f"“{each}”" for each in unknown[:3])}
        return Check(name, Level.DOUBTFUL, text, unknown[0], warns=True)
    text = ngettext(
        "%(count)d scenario passes with the draft.", "%(count)d scenarios pass with the draft.", len(scenarios)
    ) % {"count": len(scenarios)}
    return Check(name, Level.GOOD, text, scenarios[0])


def _is_old(run: ScenarioRun, scenario: Scenario) -> bool:
    return run.is_running or is_stale(run, scenario)
