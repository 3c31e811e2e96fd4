"""Starts runs of scenarios and carries them out: each step is said to the agent, then what came of it is compared."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.configuration.models import Agent, AgentVersion, Persona
from sessions.tools.dry_run import Made
from voiceapp.core.errors import ApplicationError
from voiceapp.core.jobs.long_jobs import extended_lease
from voiceapp.core.kept_texts import KeptText

from .conversation import Conversation, Entry, NotAnswered, conversation
from .expectations import Row, made_as_json
from .models import Scenario, ScenarioRun, Verdict, scenario_runs

Target = ScenarioRun.Target
RUN_WITHIN_S = 240.0
# Of a scenario against one target; older ones are deleted.
MOST_KEPT = 20
LONGEST_REASON = 300
VERSION_DELETED = KeptText("The version that this was to run against is deleted. Run it again.")


class NothingToRun(ApplicationError):
    """There is no scenario, or no published version."""


@dataclass(frozen=True, slots=True)
class Started:
    """`runs`: those that wait now. `were_running`: how many of them others had started."""

    runs: Sequence[ScenarioRun]
    were_running: int
    has_no_version: bool

    def sentence(self) -> str:
        count = len(self.runs) - self.were_running
        parts = [ngettext("%(count)d run is started.", "%(count)d runs are started.", count) % {"count": count}]
        if self.were_running:
            parts.append(_("%(count)d were running already.") % {"count": self.were_running})
        if self.has_no_version:
            parts.append(_("The agent has no published version, so only the draft is run."))
        return " ".join(parts)


def start_runs(agent: Agent, scenarios: Iterable[Scenario], targets: Sequence[str], *, by: str) -> Started:
    """Each scenario waits once for each target, however often and by whomever it is started. Raises NothingToRun."""
    agent = Agent.objects.select_related("published_version").get(pk=agent.pk)
    has_no_version = Target.PUBLISHED in targets and agent.published_version is None
    wanted = [target for target in targets if target != Target.PUBLISHED or agent.published_version]
    found = list(scenarios)
    if not found:
        raise NothingToRun(_("There is no scenario of this agent. Add one, or make one of a call."))
    if not wanted:
        raise NothingToRun(_("The agent has no published version. Publish it, or run the draft."))
    started = [_start(agent, each, target, by=by) for each in found for target in wanted]
    scenario_runs.wake_up_on_commit(wanted)
    were_running = sum(not is_new for _run, is_new in started)
    return Started([run for run, _is_new in started], were_running, has_no_version)


def _start(agent: Agent, scenario: Scenario, target: str, *, by: str) -> tuple[ScenarioRun, bool]:
    waiting = ScenarioRun.objects.filter(scenario=scenario, target=target, state=ScenarioRun.State.WAITING)
    try:
        with transaction.atomic():
            run, is_new = waiting.get_or_create(
                defaults={
                    "scenario": scenario,
                    "target": target,
                    "version": agent.published_version if target == Target.PUBLISHED else None,
                    "partition_key": str(agent.organization_id),
                    "started_by": by,
                }
            )
    except IntegrityError:
        return waiting.get(), False
    return run, is_new


def run_scenario(run: ScenarioRun) -> None:
    """The handler of the queue. Nothing that the agent or the AI provider does makes it run again."""
    scenario = Scenario.objects.select_related("agent__organization").filter(pk=run.scenario_id).first()
    if scenario is None:
        return
    with extended_lease(scenario_runs, run):
        try:
            _finish(run, rehearse(run, scenario))
        except _Gone:
            return


@dataclass(frozen=True, slots=True)
class Result:
    verdict: Verdict
    digest: str = ""
    reason: str = ""
    rows: Sequence[Row] = ()
    made: Made = field(default_factory=Made)
    entries: Sequence[Entry] = ()
    duration_ms: int = 0


class _Gone(Exception):
    """The scenario, or its agent, was deleted meanwhile; or another worker has taken the run over."""


def rehearse(run: ScenarioRun, scenario: Scenario) -> Result:
    """Say the steps to the agent as it is now, or to the version of the run."""
    agent, began = scenario.agent, time.monotonic()
    persona = agent if run.target == Target.DRAFT else run.version
    if persona is None:
        return Result(Verdict.BROKEN, reason=VERSION_DELETED)
    talk: Conversation | None = None
    reason = ""
    try:
        with conversation(agent, persona) as talk:
            reason = _say_steps(run, scenario, talk, began)
    except NotAnswered as exc:
        reason, is_broken = str(exc), True
    else:
        is_broken = False
    entries, made = (talk.entries, talk.dry_run.made) if talk else ((), Made())
    rows = [*scenario.expectation.compare(made), *_broken_tools(entries)]
    passed = Verdict.PASSED if all(row.is_same for row in rows) else Verdict.FAILED
    verdict = Verdict.BROKEN if is_broken else passed
    took_ms = int((time.monotonic() - began) * 1000)
    return Result(verdict, digest_of(scenario, persona), reason, rows, made, entries, took_ms)


def _say_steps(run: ScenarioRun, scenario: Scenario, talk: Conversation, began: float) -> str:
    """Until the agent ends the call. Why not all was said, or empty."""
    steps = scenario.step_lines
    for number, step in enumerate(steps, 1):
        if talk.is_over:
            return KeptText(
                "The call was over before line %(line)d of %(count)d was said.", line=number, count=len(steps)
            )
        if time.monotonic() - began > RUN_WITHIN_S:
            raise NotAnswered(
                KeptText(
                    "The run took longer than %(minutes)d minutes and was stopped at line %(line)d.",
                    minutes=RUN_WITHIN_S / 60,
                    line=number,
                )
            )
        try:
            talk.say(step)
        except NotAnswered as exc:
            raise NotAnswered(KeptText("Line %(line)d: %(why)s", line=number, why=str(exc))) from exc
        if not ScenarioRun.objects.filter(pk=run.pk).update(steps_done=number):
            raise _Gone
    return ""


def _broken_tools(entries: Sequence[Entry]) -> list[Row]:
    return [
        Row("", KeptText("The tool %(tool)s broke off: %(fault)s", tool=each.name, fault=each.fault), False)
        for each in entries
        if each.fault
    ]


def _finish(run: ScenarioRun, result: Result) -> None:
    """Unless another worker has taken the run over."""
    mine = ScenarioRun.objects.filter(pk=run.pk, attempts=run.attempts, state=ScenarioRun.State.WAITING)
    mine.update(
        verdict=result.verdict,
        digest=result.digest,
        reason=result.reason[:LONGEST_REASON],
        rows=[row.as_json() for row in result.rows],
        made=made_as_json(result.made),
        entries=[entry.as_json() for entry in result.entries],
        duration_ms=result.duration_ms,
    )
    same = ScenarioRun.objects.filter(scenario=run.scenario_id, target=run.target)
    kept = list(same.order_by("-id").values_list("pk", flat=True)[:MOST_KEPT])
    same.exclude(pk__in=kept).exclude(state=ScenarioRun.State.WAITING).delete()


def digest_of(scenario: Scenario, persona: Persona) -> str:
    """Changes with everything that the operator can change of scenario and agent. The menu is not in it."""
    fields = {name: getattr(persona, name) for name in Persona.persona_fields()}
    parts = [fields, scenario.steps, scenario.expected_order, str(scenario.expected_total)]
    text = json.dumps([*parts, scenario.expected_appointments], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def is_stale(run: ScenarioRun, scenario: Scenario) -> bool:
    """Scenario or agent were changed since the run."""
    agent = scenario.agent
    persona: Agent | AgentVersion | None = agent if run.target == Target.DRAFT else agent.published_version
    return bool(run.digest) and (persona is None or run.digest != digest_of(scenario, persona))
