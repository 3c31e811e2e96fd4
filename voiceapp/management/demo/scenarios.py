"""Scenarios of the demo: one that passes, and one that fails with a draft on purpose."""

from __future__ import annotations

from decimal import Decimal

from agents.configuration.models import Agent
from agents.configuration.services import publish_agent
from agents.organizations.models import Organization
from telephony.scenarios.models import Scenario, ScenarioRun
from telephony.scenarios.services import start_runs

TRIAL = "Luca (on trial)"
TIRAMISU = "Hello, I would like a tiramisu please.\nThat is all, thank you.\nYes, that is right."
PIZZAS = "Two large margherita pizzas with extra cheese please.\nMake that three.\nThat is all.\nYes, that is right."


def make_scenarios(organization: Organization, agent: Agent) -> None:
    """Once. No number leads to the agent on trial, whose draft has lost the tool that submits an order."""
    if Scenario.objects.filter(agent__organization=organization).exists():
        return
    passing = Scenario.objects.create(
        agent=agent, name="A dessert", steps=TIRAMISU, expected_order="1 × Tiramisu", expected_total=Decimal("5.00")
    )
    start_runs(agent, [passing], tuple(ScenarioRun.Target), by="seed_demo")
    trial = make_trial(organization, agent)
    failing = Scenario.objects.create(
        agent=trial,
        name="Three pizzas",
        steps=PIZZAS,
        expected_order="3 × large Margherita with extra cheese, thin crust",
        expected_total=Decimal("40.50"),
    )
    start_runs(trial, [failing], tuple(ScenarioRun.Target), by="seed_demo")


def make_trial(organization: Organization, agent: Agent) -> Agent:
    trial = Agent.objects.create(
        organization=organization, name=TRIAL, prompt=agent.prompt, greeting="Ciao, this is Luca of Bella Napoli."
    )
    publish_agent(trial, by="seed_demo", note="As Sofia")
    trial.tools = [name for name in trial.tools if name != "submit_order"]
    trial.save(update_fields=["tools"])
    return trial
