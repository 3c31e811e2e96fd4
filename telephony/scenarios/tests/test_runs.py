"""Scenarios run against draft and published version, once each, whatever happens meanwhile."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level
from sessions.appointments.models import Appointment
from sessions.calls.models import Call
from sessions.orders.models import Order
from sessions.tests.builders import make_garage
from telephony.live.tests.conftest import API_KEY, Provider
from telephony.scenarios import conversation, services
from telephony.scenarios.models import Scenario, ScenarioRun, Verdict, scenario_runs
from telephony.scenarios.only_run import only_run
from telephony.scenarios.queries import compared, newest_runs
from telephony.scenarios.readiness import check_scenarios
from telephony.scenarios.services import NothingToRun, start_runs
from telephony.tasks import run_scenarios
from voiceapp.management.demo.organization import make_demo
from voiceapp.management.demo.scenarios import make_scenarios

from .conftest import STEPS

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
Target = ScenarioRun.Target
BOTH = tuple(Target)


def run_all(agent: Agent, *, targets: tuple[str, ...] = BOTH) -> dict[str, ScenarioRun]:
    start_runs(agent, Scenario.objects.filter(agent=agent), targets, by="alice")
    scenario_runs.process_due()
    return {run.target: run for run in ScenarioRun.objects.order_by("pk")}


def without_submitting(agent: Agent) -> None:
    """A change of the draft that breaks it."""
    agent.tools = [name for name in agent.tools if name != "submit_order"]
    agent.save()


def test_a_scenario_passes_and_nothing_is_ordered(agent: Agent, scenario: Scenario) -> None:
    runs = run_all(agent)
    assert [(run.verdict, run.reason, run.steps_done) for run in runs.values()] == [(Verdict.PASSED, "", 3)] * 2
    assert runs["draft"].made["order"] == ["2 × large Margherita with extra cheese, thin crust"]
    assert not Order.objects.exists()
    assert not Call.objects.exists()


def test_what_differs_stands_beside_each_other(agent: Agent, scenario: Scenario) -> None:
    without_submitting(agent)
    runs = run_all(agent)
    assert (runs["draft"].verdict, runs["published"].verdict) == (Verdict.FAILED, Verdict.PASSED)
    order, total = compared(runs)
    assert order.expected == "2 × large Margherita with extra cheese, thin crust"
    assert [(row.got, row.is_same) if row else None for row in order.got.values()] == [
        ("", False),
        (order.expected, True),
    ]
    assert total.expected == "Total 29.70"


def test_a_failing_scenario_warns_before_publishing(agent: Agent, scenario: Scenario) -> None:
    def check() -> Check:
        return check_scenarios(Agent.objects.get(pk=agent.pk))

    assert check().level is Level.DOUBTFUL  # not run yet
    run_all(agent)
    assert check().level is Level.GOOD
    without_submitting(agent)
    assert "not been run" in check().text
    run_all(agent, targets=(Target.DRAFT,))
    assert (check().level, check().target) == (Level.DOUBTFUL, scenario)
    assert "“Two pizzas”" in check().text


def test_two_people_start_it_once(agent: Agent, scenario: Scenario, woken: list[str]) -> None:
    first = start_runs(agent, [scenario], BOTH, by="alice")
    second = start_runs(agent, [scenario], BOTH, by="bob")
    assert (first.were_running, second.were_running, ScenarioRun.objects.count()) == (0, 2, 2)
    assert "were running already" in second.sentence()


def test_one_process_of_a_machine_runs_them(
    agent: Agent, scenario: Scenario, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    start_runs(agent, [scenario], (Target.DRAFT,), by="alice")
    with only_run() as is_ours:
        assert (is_ours, run_scenarios("draft")) == (True, 0)
    assert run_scenarios("draft") == 1


def test_a_provider_that_hangs_ends_with_a_sentence(
    agent: Agent, scenario: Scenario, openai: Provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENAI_BASE_URL = openai.url("silent")
    monkeypatch.setattr(conversation, "ANSWERS_WITHIN_S", 0.3)
    [run] = run_all(agent, targets=(Target.DRAFT,)).values()
    assert run.verdict == Verdict.BROKEN
    assert run.reason.startswith("Line 1: The AI provider did not answer within")
    assert run.state == ScenarioRun.State.DONE


def test_a_provider_that_refuses_is_named(
    agent: Agent, scenario: Scenario, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("refuse=403")
    [run] = run_all(agent, targets=(Target.DRAFT,)).values()
    assert (run.verdict, "HTTP 403" in run.reason) == (Verdict.BROKEN, True)


def test_an_agent_that_is_deleted_meanwhile_ends_the_run(
    agent: Agent, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = conversation.Conversation.say

    def then_deleted(talk: conversation.Conversation, text: str) -> object:
        Scenario.objects.filter(pk=scenario.pk).delete()
        return say(talk, text)

    monkeypatch.setattr(conversation.Conversation, "say", then_deleted)
    assert run_all(agent, targets=(Target.DRAFT,)) == {}


def test_without_a_published_version_only_the_draft_is_run(agent: Agent, scenario: Scenario) -> None:
    Agent.objects.filter(pk=agent.pk).update(published_version=None)
    started = start_runs(agent, [scenario], BOTH, by="alice")
    assert [run.target for run in started.runs] == [Target.DRAFT]
    assert "no published version" in started.sentence()
    with pytest.raises(NothingToRun, match="no published version"):
        start_runs(agent, [scenario], (Target.PUBLISHED,), by="alice")


def test_a_run_that_kills_its_workers_is_given_up(agent: Agent, scenario: Scenario) -> None:
    [run] = start_runs(agent, [scenario], (Target.DRAFT,), by="alice").runs
    ScenarioRun.objects.filter(pk=run.pk).update(attempts=scenario_runs.max_attempts)
    scenario_runs.process_due()
    run.refresh_from_db()
    assert run.state == ScenarioRun.State.FAILED
    assert start_runs(agent, [scenario], (Target.DRAFT,), by="alice").were_running == 0


def test_old_results_are_replaced(agent: Agent, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_KEPT", 2)
    Scenario.objects.update(steps="Hello")
    for _ in range(3):
        run_all(agent, targets=(Target.DRAFT,))
    assert ScenarioRun.objects.count() == 2
    assert newest_runs([scenario.pk])[scenario.pk, "draft"] == ScenarioRun.objects.first()


@pytest.mark.parametrize(
    ("steps", "why"),
    [("\n \n", "Write what the caller says"), ("Hi\n" * 200, "at most 40 steps"), ("x" * 501, "at most 500")],
)
def test_steps_that_are_too_many_are_refused(agent: Agent, steps: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Scenario(agent=agent, name="Long", steps=steps).full_clean()


def command(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("run_scenarios", "--agent", "Giulia", *arguments, stdout=out, stderr=io.StringIO())
    except SystemExit as exc:
        return int(str(exc.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_what_differs_and_exits_with_it(agent: Agent, scenario: Scenario) -> None:
    assert command("--against", "draft")[0] == 0
    without_submitting(agent)
    code, text = command("--against", "both")
    assert code == 1
    assert "Failed: Two pizzas (draft" in text
    assert "Passed: Two pizzas (version 1" in text
    assert "expected: 2 × large Margherita with extra cheese, thin crust" in text
    code, text = command("--against", "draft", "--json")
    [run] = map(json.loads, text.splitlines())
    assert (code, run["result"], run["made"]["order"]) == (1, "failed", [])


def test_the_command_says_what_there_is(agent: Agent) -> None:
    with pytest.raises(CommandError, match="There is no scenario of this agent"):
        call_command("run_scenarios", "--agent", "Giulia")
    with pytest.raises(CommandError, match="There are: Giulia"):
        call_command("run_scenarios", "--agent", "Nobody")
    Scenario.objects.create(agent=agent, name="One", steps=STEPS)
    with pytest.raises(CommandError, match="There are: One"):
        call_command("run_scenarios", "--agent", "Giulia", "--scenario", "Two")


def test_the_demos_scenarios_pass_and_fail_as_they_say(openai: Provider, settings: Settings, woken: list[str]) -> None:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    demo = make_demo()
    for _ in range(2):
        make_scenarios(demo.organization, demo.agent)
    scenario_runs.process_due()
    verdicts = {(run.scenario.name, run.target): run.verdict for run in ScenarioRun.objects.select_related("scenario")}
    assert verdicts == {
        ("A dessert", "draft"): Verdict.PASSED,
        ("A dessert", "published"): Verdict.PASSED,
        ("Three pizzas", "draft"): Verdict.FAILED,
        ("Three pizzas", "published"): Verdict.PASSED,
    }


def test_an_appointment_is_made_in_the_calendar_as_it_is(openai: Provider, settings: Settings) -> None:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    agent = make_garage(orders_url="")[1].agent
    assert agent is not None
    said = ("I need an oil change please", "On Thursday at nine", "My name is Alice Miller and it is a Ford", "Yes")
    steps = "\n".join(said)
    names = {"Oil change on Thursday at 09:00 for Alice Miller": "passed", "Oil change on Friday": "failed"}
    for rule in names:
        Scenario.objects.create(agent=agent, name=rule, steps=steps, expected_appointments=rule)
    run_all(agent, targets=(Target.DRAFT,))
    runs = {run.scenario.name: run for run in ScenarioRun.objects.select_related("scenario")}
    assert {name: run.verdict for name, run in runs.items()} == names
    [row] = runs["Oil change on Friday"].rows
    assert row["got"].startswith("Oil change on Thursday at 09:00 for Alice Miller (")
    assert not Appointment.objects.exists()
