"""Scenarios against the simulator of OpenAI, in text."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.tests.builders import make_agent, make_menu, make_organization
from telephony.live.tests.conftest import API_KEY, Provider, openai
from telephony.scenarios.models import Scenario, scenario_runs

__all__ = ["openai"]


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    topics: list[str] = []
    monkeypatch.setattr(scenario_runs, "wake_up", topics.append)
    return topics


@pytest.fixture
def agent(db: None, openai: Provider, settings: Settings) -> Agent:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    organization = make_organization()
    make_menu(organization)
    return make_agent(organization)


STEPS = "Two large margherita with extra cheese please\nThat is all\nYes that is right"


@pytest.fixture
def scenario(agent: Agent) -> Scenario:
    """Two pizzas, as the menu of the contract has them."""
    return Scenario.objects.create(
        agent=agent,
        name="Two pizzas",
        steps=STEPS,
        expected_order="2 × large Margherita with extra cheese, thin crust",
        expected_total="29.70",
    )
