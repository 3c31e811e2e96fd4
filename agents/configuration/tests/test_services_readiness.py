"""The checklist of an agent that books appointments."""

from __future__ import annotations

import pytest

from agents.configuration.models import Agent
from agents.configuration.readiness import Check, Level, checks_of
from agents.organizations.trades import Trade
from agents.resources.models import ResourceKind
from agents.tests.builders import make_agent, make_garage_agent, make_organization, make_resource, make_services

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    organization = make_organization("Alice Garage", trade=Trade.GARAGE)
    make_services(organization)
    return make_garage_agent(organization)


def services_check(agent: Agent) -> Check:
    return next(check for check in checks_of(agent) if check.name == "Services")


def test_services_with_their_resources_are_good(agent: Agent) -> None:
    check = services_check(agent)
    assert (check.level, check.text) == (Level.GOOD, "3 services can be booked.")


def test_without_services_nobody_can_book(agent: Agent) -> None:
    agent.organization.services.update(is_active=False)
    assert services_check(agent).text == "No service is active: callers cannot book an appointment."


def test_a_service_that_nobody_can_do_is_named(agent: Agent) -> None:
    organization = agent.organization
    organization.resources.filter(kind=ResourceKind.BAY).update(is_active=False)
    assert services_check(agent).text == "No bay can do Inspection: it cannot be booked."
    bay = make_resource(organization, "Bay 2", kind=ResourceKind.BAY)
    bay.services.set(organization.services.filter(name="Inspection"))
    assert services_check(agent).text == "No bay can do Brake repair: it cannot be booked."


def test_a_disabled_tool_without_which_nothing_is_booked_is_named(agent: Agent) -> None:
    agent.tools = [tool for tool in agent.tools if tool != "book_appointment"]
    assert services_check(agent).text == "The agent cannot book appointments: “Book the appointment” is disabled."


def test_an_agent_without_appointments_is_not_asked_for_services() -> None:
    agent = make_agent(make_organization())
    assert {"Menu"} == {check.name for check in checks_of(agent)} & {"Menu", "Services"}
