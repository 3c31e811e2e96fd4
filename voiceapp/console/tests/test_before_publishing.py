"""What is published works: defaults of the trade, and a list that is minded before callers meet an agent."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from agents.catalog.models import Item, Menu
from agents.configuration.admin.checklist import checklist_of
from agents.configuration.models import Agent
from agents.configuration.readiness import Level, checks_of
from agents.configuration.services import publish_agent
from agents.hours.models import OpeningHours
from agents.organizations.models import Organization
from agents.organizations.trades import ORDER_TOOLS, Trade
from agents.transfers.models import TransferTarget
from sessions.tools.briefing import NO_ORDERING, ORDERING, brief_agent
from telephony.twilio.models import PhoneNumber

from .test_buttons_save import Page, press, url
from .world import World

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def new_organization(client: Client, **fields: str) -> Any:
    form = {"name": "New House", "slug": "new-house", "trade": "restaurant", "max_live_calls": "5", "tax_percent": "7",
            "largest_order_total": "500", "takes_orders": "on", "country": "", "currency": "", "time_zone": "",
            "opening_hours-TOTAL_FORMS": "0", "opening_hours-INITIAL_FORMS": "0",
            "special_days-TOTAL_FORMS": "0", "special_days-INITIAL_FORMS": "0", **fields}  # fmt: skip
    return client.post("/admin/agents/organization/add/", form)


@pytest.mark.parametrize(
    ("country", "currency", "zone"),
    [
        ("DE", "EUR", "Europe/Berlin"),
        ("JP", "JPY", "Asia/Tokyo"),
        ("GB", "GBP", "Europe/London"),
        ("IT", "EUR", "Europe/Rome"),
    ],
)
def test_currency_and_zone_follow_from_the_country(root: Client, country: str, currency: str, zone: str) -> None:
    assert new_organization(root, country=country).status_code == 302
    organization = Organization.objects.get(slug="new-house")
    assert (organization.currency, organization.time_zone) == (currency, zone)


@pytest.mark.parametrize(
    ("given", "required"),
    [
        ({}, {"currency", "time_zone"}),
        ({"country": "US"}, {"time_zone"}),
        ({"time_zone": "Europe/Berlin"}, {"currency"}),
        ({"currency": "EUR"}, {"time_zone"}),
    ],
)
def test_values_without_a_default_are_required(root: Client, given: dict[str, str], required: set[str]) -> None:
    page = new_organization(root, **given)
    assert set(page.context["adminform"].form.errors) == required
    assert not Organization.objects.exists()


def test_a_new_organization_begins_without_dollars_and_utc(root: Client) -> None:
    form = root.get("/admin/agents/organization/add/").context["adminform"].form
    assert [form[name].value() for name in ("currency", "time_zone")] == ["", ""]


@pytest.mark.parametrize("trade", Trade)
def test_a_new_agent_works_for_the_trade_as_it_comes(client_of_alice: Client, harbour: World, trade: Trade) -> None:
    Organization.objects.filter(pk=harbour.organization.pk).update(trade=trade, country="DE")
    page = Page(client_of_alice.get("/admin/agents/agent/add/").content.decode(), "agent_form")
    assert client_of_alice.post("/admin/agents/agent/add/", page.posted(name="Nora")).status_code == 302
    agent = Agent.objects.get(name="Nora")
    assert bool(set(agent.tools) & ORDER_TOOLS) == trade.takes_orders
    assert {"end_call", "transfer_call", "get_opening_hours"} <= set(agent.tools)
    assert "Harbour House" in agent.prompt
    assert agent.greeting.startswith("Hallo, hier ist Harbour House.")
    assert agent.language == "de"
    levels = {check.name: check.level for check in checks_of(agent)}
    assert (levels["Tools"], levels["Prompt"]) == (Level.GOOD, Level.GOOD)


@pytest.mark.parametrize(
    ("tools", "takes_orders", "words"),
    [
        (sorted(ORDER_TOOLS), True, ORDERING),
        (sorted(ORDER_TOOLS), False, NO_ORDERING),
        (["end_call"], True, ""),
    ],
)
def test_the_prompt_explains_orders_only_with_the_tools_for_them(
    harbour: World, tools: list[str], takes_orders: bool, words: str
) -> None:
    organization = harbour.organization
    organization.takes_orders = takes_orders
    instructions = brief_agent(
        Agent(tools=tools, prompt="x"), organization, call_id="", now=timezone.now()
    ).instructions
    assert [each for each in (ORDERING, NO_ORDERING) if each in instructions] == ([words] if words else [])


def spoil_menu(world: World) -> None:
    Menu.objects.update(is_active=False)


def spoil_items(world: World) -> None:
    Item.objects.update(is_out=True)


def spoil(**fields: object) -> Any:
    return lambda world: Agent.objects.filter(pk=world[Agent].pk).update(**fields)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (spoil(tools=[]), "No tools are enabled"),
        (spoil(tools=["end_call", "look_up_items"]), "The agent cannot take orders"),
        (spoil(tools=["change_order", "read_back_order", "end_call"]), "“Submit the order” is disabled"),
        (spoil(prompt=" \n "), "The prompt is empty"),
        (spoil_menu, "callers cannot order anything"),
        (spoil_items, "All items are sold out"),
    ],
)
def test_what_is_useless_to_callers_is_published_only_with_a_persons_word(
    client_of_alice: Client, harbour: World, mistake: Any, words: str
) -> None:
    agent = harbour[Agent]
    mistake(harbour)
    page = press(client_of_alice, agent, "publish", greeting="Ahoy!")
    assert "“Publish” was not carried out." in page
    assert words in page
    agent.refresh_from_db()
    assert (agent.greeting, agent.versions.count()) == ("Ahoy!", 1)
    assert "Publish anyway" in page
    press(client_of_alice, agent, "publish", _press_anyway_publish="on")
    assert agent.versions.count() == 2


def test_a_mistake_made_in_the_same_click_is_minded(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    page = press(client_of_alice, agent, "publish", tools=[])
    assert "No tools are enabled" in page
    assert agent.versions.count() == 1


def test_every_line_of_the_list_leads_to_a_page_where_it_is_mended(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    for delete in (TransferTarget, PhoneNumber, OpeningHours):
        delete.objects.all().delete()
    Agent.objects.filter(pk=agent.pk).update(tools=[], prompt="")
    agent.refresh_from_db()
    page = client_of_alice.get(url(Agent, "change", agent.pk)).content.decode()
    listed = checklist_of(agent)
    assert {line.name for line in listed} == {"Tools", "Prompt", "Menu", "Menu check", "Opening hours", "Phone number",
                                              "Transfer target", "Currency", "Time zone", "Scenarios"}  # fmt: skip
    for line in listed:
        assert f'href="{line.url}"' in page
        path, _, anchor = line.url.partition("#")
        answer = client_of_alice.get(path)
        assert answer.status_code == 200, line
        assert not anchor or f'id="{anchor}"' in answer.content.decode(), line


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"time_zone": "UTC"}, "Time zone", "belongs to no country"),
        ({"time_zone": "Asia/Tokyo", "country": "DE"}, "Time zone", "not in the organization's country"),
        ({"country": "GB", "currency": "EUR"}, "Currency", "the country's currency is GBP"),
    ],
)
def test_a_place_that_does_not_fit_is_doubted(harbour: World, fields: dict[str, str], name: str, words: str) -> None:
    Organization.objects.filter(pk=harbour.organization.pk).update(**fields)
    check = next(each for each in checks_of(Agent.objects.get()) if each.name == name)
    assert check.level is Level.DOUBTFUL
    assert words in check.text


def test_a_number_that_is_off_or_another_agents_is_doubted(harbour: World) -> None:
    agent = harbour[Agent]
    second = Agent.objects.create(organization=harbour.organization, name="Second")

    def number_of(agent: Agent) -> str:
        return next(check.text for check in checks_of(agent) if check.name == "Phone number")

    assert "reaches this agent" in number_of(agent)
    assert number_of(second) == "No phone number reaches this agent: nobody can call it."
    PhoneNumber.objects.update(agent=second)
    assert "reaches this agent" in number_of(second)
    assert number_of(agent) == "No phone number reaches this agent: nobody can call it."
    PhoneNumber.objects.update(is_active=False)
    assert "is inactive" in number_of(second)


def test_publishing_by_program_stays_as_it_is(harbour: World) -> None:
    Agent.objects.update(tools=[], prompt="")
    assert publish_agent(harbour[Agent], by="seed").number == 2
