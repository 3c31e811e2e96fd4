"""The test bench: talk with the draft, run a tool, and make scenarios, without a trace and by role."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.organizations.roles import Role
from agents.tests.builders import make_agent, make_menu, make_organization, make_user
from sessions.calls.models import Call, CallState, TranscriptLine
from sessions.messages.models import OutboxMessage
from sessions.orders.models import DraftOrder, Order
from sessions.tests.builders import make_call
from telephony.live.tests.conftest import API_KEY, Provider, openai
from telephony.scenarios.models import Scenario, ScenarioRun

__all__ = ["openai"]
pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def agent(openai: Provider, settings: Settings) -> Agent:
    settings.OPENAI_API_KEY = API_KEY
    settings.OPENAI_BASE_URL = openai.url()
    organization = make_organization()
    make_menu(organization)
    return make_agent(organization)


def client_of(agent: Agent, role: Role = Role.OWNER, name: str = "alice") -> Client:
    client = Client()
    client.force_login(make_user(name, agent.organization, role))
    return client


@pytest.fixture
def alice(agent: Agent) -> Client:
    return client_of(agent)


def send(client: Client, agent: Agent, page: str = "", **posted: str) -> Any:
    """With what the page before has in its hidden field."""
    found = re.search(r'name="state" value="([^"]*)"', page)
    state = {"state": html.unescape(found[1])} if found else {}
    return client.post(f"/admin/bench/{agent.pk}/", {**state, **posted})


def test_talking_with_the_draft_leaves_no_trace(alice: Client, agent: Agent) -> None:
    agent.greeting = "Ciao from the draft!"
    agent.save()
    assert "Ciao from the draft!" in alice.get(f"/admin/bench/{agent.pk}/").content.decode()
    page = ""
    for text in ("Two large margherita please", "That is all", "Yes that is right"):
        page = send(alice, agent, page, text=text).content.decode()
    assert "2 × large Margherita with thin crust" in page
    assert "The agent hangs up." in page
    for model in (Call, DraftOrder, Order, OutboxMessage):
        assert not model.objects.exists()
    kept = send(alice, agent, page, act="keep")
    scenario = Scenario.objects.get()
    assert kept.headers["Location"] == f"/admin/telephony/scenario/{scenario.pk}/change/"
    assert (len(scenario.step_lines), scenario.expected_order) == (3, "2 × large Margherita with thin crust")


def test_tools_run_one_after_the_other_with_sample_arguments(alice: Client, agent: Agent) -> None:
    page = alice.get(f"/admin/bench/{agent.pk}/?tool=change_order").content.decode()
    sample = html.unescape(re.search(r"<textarea[^>]*>([^<]*)", page)[1])  # type: ignore[index]
    assert "Margherita" in sample
    page = send(alice, agent, page, act="tool", tool="change_order", **{"tool-changes": sample}).content.decode()
    page = send(alice, agent, page, act="tool", tool="read_back_order").content.decode()
    page = send(alice, agent, page, act="tool", tool="submit_order").content.decode()
    assert "is placed" in page
    assert "1 × medium Margherita" in page
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("written", "says"),
    [("[", "This is no JSON"), ("{}", "a list in [ ]"), ("[" * 4000, "This is no JSON"), ("[]", "Refused")],
)
def test_arguments_that_are_wrong_are_explained(alice: Client, agent: Agent, written: str, says: str) -> None:
    response = send(alice, agent, act="tool", tool="change_order", **{"tool-changes": written})
    page = response.content.decode()
    assert says in html.unescape(page)
    assert html.escape(written[:50]) in page


def test_a_provider_that_is_away_keeps_the_text(
    alice: Client, agent: Agent, openai: Provider, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.url("refuse=503")
    page = send(alice, agent, text="<script>two pizzas</script>").content.decode()
    assert "cannot be reached" in page
    assert 'value="&lt;script&gt;two pizzas&lt;/script&gt;"' in page


def test_a_page_of_somebody_else_is_not_believed(alice: Client, agent: Agent) -> None:
    page = send(alice, agent, act="tool", tool="get_opening_hours").content.decode()
    bob = client_of(agent, Role.MANAGER, "bob")
    answered = send(bob, agent, page, text="Hello")
    assert (answered.status_code, "belongs to another sign-in" in answered.content.decode()) == (422, True)
    assert send(alice, agent, 'name="state" value="x:y:z"', text="Hello").status_code == 422


def finished_call(agent: Agent) -> Call:
    call = make_call(agent, state=CallState.COMPLETED)
    TranscriptLine.objects.create(call=call, item_id="1", speaker="caller", text="Hello <b>there</b>", spoken_at_ms=0)
    return call


def test_a_call_becomes_a_scenario_by_one_click(alice: Client, agent: Agent) -> None:
    call = finished_call(agent)
    address = f"/admin/bench/call/{call.pk}/"
    assert address in alice.get(f"/admin/voice_sessions/call/{call.pk}/change/").content.decode()
    page = alice.post(address, follow=True).content.decode()
    assert "The scenario is made." in page
    assert "Hello &lt;b&gt;there&lt;/b&gt;" in page


def test_a_scenario_is_run_from_its_page(alice: Client, agent: Agent) -> None:
    scenario = Scenario.objects.create(agent=agent, name="Hello", steps="Hello")
    change = f"/admin/telephony/scenario/{scenario.pk}/change/"
    assert alice.post(f"/admin/telephony/scenario/{scenario.pk}/press/run/").status_code == 302
    page = alice.get(change).content.decode()
    assert "data-running" in page
    assert "0 of 1 lines were said." in page
    assert ScenarioRun.objects.count() == 2


def test_publishing_warns_of_a_scenario_that_was_not_run(alice: Client, agent: Agent) -> None:
    Scenario.objects.create(agent=agent, name="Hello", steps="Hello")
    page = alice.post(f"/admin/agents/agent/{agent.pk}/press/publish/", follow=True).content.decode()
    assert "Version 2 of Giulia is published" in page
    assert page.count("1 scenario has not been run with this draft: “Hello”.") == 2  # said, and on the checklist


@pytest.mark.parametrize(("role", "status"), [(Role.STAFF, 403), (Role.VIEWER, 403), (Role.KITCHEN, 403)])
def test_others_may_not_spend_money_on_it(agent: Agent, role: Role, status: int) -> None:
    client = client_of(agent, role)
    assert client.get(f"/admin/bench/{agent.pk}/").status_code == status
    call = finished_call(agent)
    assert client.post(f"/admin/bench/call/{call.pk}/").status_code in (403, 404)
    assert not Scenario.objects.exists()


def test_a_strangers_agent_is_not_there(agent: Agent) -> None:
    stranger = make_agent(make_organization("Charlie's"))
    client = client_of(stranger, Role.OWNER, "charlie")
    assert client.get(f"/admin/bench/{agent.pk}/").status_code == 404
    assert client.post(f"/admin/bench/call/{finished_call(agent).pk}/").status_code == 404
    assert client.get(f"/admin/bench/{10**30}/").status_code == 404
