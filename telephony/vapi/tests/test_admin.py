"""VAPI's assistants in the admin: the differences are shown before they are written, and only one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.organizations.roles import Role
from agents.tests.builders import make_agent, make_organization, make_user
from sessions.tests.builders import make_call
from telephony.vapi.legs import open_leg
from telephony.vapi.models import SyncedAssistant
from telephony.vapi.reports import apply_report, read_report
from telephony.vapi.sync import agents_at_vapi, apply_plan, plan_sync
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.tests.running import running_vapi

from .sender import report

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "vapi-private-key"
PAGE = "/admin/telephony/syncedassistant/compare/"


@pytest.fixture
def simulator(account: Settings) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        account.VAPI_API_KEY, account.VAPI_BASE_URL = KEY, running.base_url
        account.PUBLIC_BASE_URL = "http://testserver"
        yield running


@pytest.fixture
def agent(transactional_db: None) -> Agent:
    agent = make_agent(make_organization())
    AgentVersion.objects.update(provider="vapi")
    return agent


def signed_in(agent: Agent, role: Role = Role.OWNER, name: str = "alice") -> Client:
    client = Client()
    client.force_login(make_user(name, agent.organization, role))
    return client


def page(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, agent: Agent, **more: str) -> str:
    found = re.search(r'name="digest" value="(\w+)"', page(client))
    assert found is not None
    form = {"agent": str(agent.pk), "digest": found[1], **more}
    return client.post(PAGE, form, follow=True).content.decode()


def test_the_list_leads_to_the_comparison(simulator: VapiSimulator, agent: Agent) -> None:
    listed = signed_in(agent).get("/admin/telephony/syncedassistant/").content.decode()
    assert PAGE in listed


def test_an_assistant_is_created_after_it_was_shown(simulator: VapiSimulator, agent: Agent) -> None:
    alice = signed_in(agent)
    assert "Create the assistant" in page(alice)
    assert not SyncedAssistant.objects.exists()
    assert len(simulator.account.assistants.by_id) == 1
    assert "was created" in press(alice, agent)
    row = SyncedAssistant.objects.get()
    assert (row.synced_by, row.version) == ("alice", 1)
    assert "Create the assistant" not in page(alice)
    assert LogEntry.objects.filter(change_message__contains="created").exists()


def test_changes_by_hand_are_replaced_only_by_their_own_button(simulator: VapiSimulator, agent: Agent) -> None:
    alice = signed_in(agent)
    press(alice, agent)
    at_vapi = simulator.account.assistants.by_id[SyncedAssistant.objects.get().assistant_id]
    at_vapi["firstMessage"] = "Buongiorno! <script>"
    shown = page(alice)
    assert "changed at VAPI by hand" in shown
    assert "Buongiorno! &lt;script&gt;" in shown
    assert "Write our changes" not in shown
    assert "was updated" in press(alice, agent, overwrite="yes")
    assert at_vapi["firstMessage"] != "Hello! How can I help you?"  # PATCH made a new object
    row = SyncedAssistant.objects.get()
    assert simulator.account.assistants.by_id[row.assistant_id]["firstMessage"] == "Hello! How can I help you?"


def test_nothing_is_written_that_was_not_shown(simulator: VapiSimulator, agent: Agent) -> None:
    alice = signed_in(agent)
    press(alice, agent)
    at_vapi = simulator.account.assistants.by_id[SyncedAssistant.objects.get().assistant_id]
    at_vapi["firstMessage"] = "Buongiorno!"
    found = re.search(r'name="digest" value="(\w+)"', page(alice))
    assert found is not None
    at_vapi["firstMessage"] = "Salve!"
    form = {"agent": str(agent.pk), "digest": found[1], "overwrite": "yes"}
    assert "Something has changed meanwhile" in alice.post(PAGE, form, follow=True).content.decode()
    assert simulator.account.assistants.by_id[at_vapi["id"]]["firstMessage"] == "Salve!"


def test_the_fault_of_vapi_is_a_sentence(simulator: VapiSimulator, agent: Agent, account: Settings) -> None:
    account.VAPI_API_KEY = "another"
    shown = page(signed_in(agent))
    assert "VAPI did not respond" in shown
    assert "401" in shown


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_others_see_and_change_nothing(simulator: VapiSimulator, agent: Agent, role: Role) -> None:
    client = signed_in(agent, role)
    shown = page(client)
    assert "Giulia" in shown
    assert "Create the assistant" not in shown
    assert client.post(PAGE, {"agent": str(agent.pk), "digest": "x"}).status_code == 403
    assert not SyncedAssistant.objects.exists()


def test_a_call_leads_to_its_call_at_vapi(agent: Agent) -> None:
    call = make_call(agent)
    leg = open_leg(call.pk, "vapi-1")
    apply_report(leg, read_report(report("b: Hello!", "u: A pizza.")))
    alice = signed_in(agent)
    shown = alice.get(reverse("admin:voice_sessions_call_change", args=(call.pk,))).content.decode()
    address = reverse("admin:telephony_vapileg_change", args=(leg.pk,))
    assert address in shown
    assert "customer-ended-call, 0.1234 USD, recorded there" in shown
    page_of_leg = alice.get(address).content.decode()
    assert "https://storage.vapi.ai/stereo.wav" in page_of_leg
    assert 'href="https://storage.vapi.ai' not in page_of_leg


def test_a_stranger_sees_and_changes_nothing(simulator: VapiSimulator, agent: Agent) -> None:
    other = make_agent(make_organization("Osteria Charlie"), name="Charlie")
    charlie = signed_in(other, name="charlie")
    assert "Giulia" not in page(charlie)
    assert "Giulia" not in charlie.get(f"{PAGE}?agent={agent.pk}").content.decode()
    assert charlie.post(PAGE, {"agent": str(agent.pk), "digest": "x"}).status_code == 403


def test_kitchen_staff_have_no_such_page(simulator: VapiSimulator, agent: Agent) -> None:
    assert signed_in(agent, Role.KITCHEN).get(PAGE).status_code == 403


def test_chosen_rows_are_compared_alone(simulator: VapiSimulator, agent: Agent) -> None:
    make_agent(agent.organization, name="Marco", is_default=False)
    AgentVersion.objects.update(provider="vapi")
    client = VapiClient.from_settings()
    for plan in plan_sync(agents_at_vapi(), client):
        apply_plan(plan, client, by="alice")
    alice = signed_in(agent)
    row = SyncedAssistant.objects.get(agent=agent)
    chosen = {"action": "compare_chosen", "_selected_action": [row.pk]}
    response = alice.post(reverse("admin:telephony_syncedassistant_changelist"), chosen, follow=True)
    shown = response.content.decode()
    assert "Giulia" in shown
    assert "Trattoria Alice: Marco" not in shown
