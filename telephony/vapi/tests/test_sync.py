"""Assistants in step: created, updated, shown where they were changed by hand, and never overwritten unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any, get_args

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from agents.catalog.models import Item
from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.tests.builders import make_agent, make_menu, make_organization
from telephony.vapi.assistants import stored_assistant
from telephony.vapi.comparison import Origin
from telephony.vapi.models import SyncedAssistant
from telephony.vapi.sync import Action, Plan, agents_at_vapi, apply_plan, plan_sync
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.vapi.client import VapiClient
from voiceapp.simulators.vapi import VapiSimulator
from voiceapp.simulators.vapi.assistants import Assistants
from voiceapp.simulators.vapi.tests.running import running_vapi
from voiceapp.simulators.vapi.tests.sdk import vapi_types

from .sender import SECRET

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "vapi-private-key"


@pytest.fixture
def simulator(account: Settings) -> Iterator[VapiSimulator]:
    with running_vapi(keys=[KEY]) as running:
        account.VAPI_API_KEY, account.VAPI_BASE_URL = KEY, running.base_url
        yield running


@pytest.fixture
def client(simulator: VapiSimulator) -> VapiClient:
    return VapiClient.from_settings()


@pytest.fixture
def agent(transactional_db: None) -> Agent:
    organization = make_organization()
    make_menu(organization)
    return at_vapi(make_agent(organization))


def at_vapi(agent: Agent) -> Agent:
    Agent.objects.filter(pk=agent.pk).update(provider="vapi")
    AgentVersion.objects.filter(agent=agent).update(provider="vapi")
    agent.refresh_from_db()
    return agent


def change(agent: Agent, **values: Any) -> None:
    """And publish."""
    Agent.objects.filter(pk=agent.pk).update(**values)
    publish_agent(agent, by="alice")
    at_vapi(agent)


def plan(client: VapiClient) -> Plan:
    (only,) = plan_sync(agents_at_vapi(), client)
    return only


def sync(client: VapiClient, *, overwrite: bool = False) -> Action:
    return apply_plan(plan(client), client, by="alice", overwrite=overwrite)


def stored(simulator: VapiSimulator) -> dict[str, Any]:
    """The assistant at VAPI, beside the one that is there from the start."""
    row = SyncedAssistant.objects.get()
    return simulator.account.assistants.by_id[row.assistant_id]


def origins(client: VapiClient) -> dict[str, Origin]:
    return {each.path: each.origin for each in plan(client).differences}


def test_a_published_agent_gets_its_assistant(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    assert plan(client).action is Action.CREATE
    assert sync(client) is Action.CREATE
    assistant = stored(simulator)
    assert assistant["name"] == "Trattoria Alice: Giulia"
    assert assistant["firstMessage"] == "Hello! How can I help you?"
    assert assistant["server"]["url"] == "https://voice.example.com/vapi/webhook"
    assert assistant["server"]["headers"] == {"X-Vapi-Secret": SECRET}
    prompt = assistant["model"]["messages"][0]["content"]
    assert prompt.startswith("You are Giulia.")
    assert prompt.endswith("{{live_facts}}")
    names = {tool["function"]["name"] for tool in assistant["model"]["tools"]}
    assert names >= {"look_up_items", "change_order", "submit_order", "transfer_call", "end_call"}
    assert {"tool-calls", "end-of-call-report", "status-update"} <= set(assistant["serverMessages"])
    assert {"tool-calls", "transcript", "user-interrupted"} <= set(assistant["clientMessages"])
    assert plan(client).action is Action.NOTHING
    row = SyncedAssistant.objects.get()
    assert (row.agent, row.version, row.synced_by) == (agent, 1, "alice")
    assert SECRET not in json.dumps([row.sent, row.returned])


def test_vapis_sdk_knows_every_field_and_every_message(agent: Agent) -> None:
    assert agent.published_version is not None
    fields = stored_assistant(agent, agent.published_version)
    known = {field.alias or name for name, field in vapi_types.CreateAssistantDto.model_fields.items()}
    assert set(fields) <= known
    assert set(fields["server"]) - {"headers"} <= {
        field.alias or name for name, field in vapi_types.Server.model_fields.items()
    }
    assert set(fields["serverMessages"]) <= literals(vapi_types.CreateAssistantDtoServerMessagesItem)
    assert set(fields["clientMessages"]) <= literals(vapi_types.CreateAssistantDtoClientMessagesItem)
    assert fields["firstMessageMode"] in literals(vapi_types.CreateAssistantDtoFirstMessageMode)
    assert len(fields["name"]) <= 40


def literals(union: object) -> set[str]:
    return {name for each in get_args(union) for name in get_args(each)}


def test_menu_hours_and_time_are_no_difference(client: VapiClient, agent: Agent) -> None:
    sync(client)
    Item.objects.all().update(name="Quattro stagioni")
    assert plan(client).action is Action.NOTHING


def test_what_is_published_is_written_and_nothing_else(
    simulator: VapiSimulator, client: VapiClient, agent: Agent
) -> None:
    sync(client)
    before = json.loads(json.dumps(stored(simulator)))
    change(agent, prompt="You are Giulia, and in a hurry.", greeting="Ciao!")
    assert origins(client) == {"model.messages": Origin.OURS, "firstMessage": Origin.OURS}
    assert sync(client) is Action.UPDATE
    after = stored(simulator)
    assert after["firstMessage"] == "Ciao!"
    assert "in a hurry" in after["model"]["messages"][0]["content"]
    assert after["model"]["tools"] == before["model"]["tools"]
    assert {name for name in after if after[name] != before.get(name)} == {"firstMessage", "model", "updatedAt"}
    assert plan(client).action is Action.NOTHING


def test_what_was_changed_by_hand_is_shown_and_kept(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    sync(client)
    stored(simulator)["voice"] = {"provider": "11labs", "voiceId": "burt"}
    stored(simulator)["model"]["temperature"] = 0.3  # none of the fields that we decide on
    assert origins(client) == {"voice.provider": Origin.BY_HAND, "voice.voiceId": Origin.BY_HAND}
    assert plan(client).action is Action.CHANGED_BY_HAND
    assert sync(client) is Action.CHANGED_BY_HAND
    assert stored(simulator)["voice"] == {"provider": "11labs", "voiceId": "burt"}
    assert plan(client).action is Action.CHANGED_BY_HAND  # it is shown again


def test_our_changes_leave_those_by_hand_alone(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    sync(client)
    stored(simulator)["firstMessage"] = "Buongiorno!"
    stored(simulator)["model"] = {**stored(simulator)["model"], "model": "gpt-5", "temperature": 0.3}
    change(agent, prompt="You are Marco.", greeting="Ciao!")
    assert origins(client) == {
        "firstMessage": Origin.BOTH, "model.model": Origin.BY_HAND, "model.messages": Origin.OURS,
    }  # fmt: skip
    assert sync(client) is Action.UPDATE
    assistant = stored(simulator)
    assert assistant["firstMessage"] == "Buongiorno!"
    assert (assistant["model"]["model"], assistant["model"]["temperature"]) == ("gpt-5", 0.3)
    assert assistant["model"]["messages"][0]["content"].startswith("You are Marco.")
    assert origins(client) == {"firstMessage": Origin.BOTH, "model.model": Origin.BY_HAND}
    assert sync(client, overwrite=True) is Action.UPDATE
    assert stored(simulator)["firstMessage"] == "Ciao!"
    assert stored(simulator)["model"]["temperature"] == 0.3
    assert plan(client).action is Action.NOTHING


def test_a_prompt_changed_by_hand_is_not_lost_when_the_tools_change(
    simulator: VapiSimulator, client: VapiClient, agent: Agent
) -> None:
    sync(client)
    stored(simulator)["model"]["messages"] = [{"role": "system", "content": "You are a pirate."}]
    change(agent, tools=["end_call"])
    assert sync(client) is Action.UPDATE
    assistant = stored(simulator)
    assert [tool["function"]["name"] for tool in assistant["model"]["tools"]] == ["end_call"]
    assert assistant["model"]["messages"][0]["content"] == "You are a pirate."


def test_an_assistant_deleted_at_vapi_is_made_again_only_on_purpose(
    simulator: VapiSimulator, client: VapiClient, agent: Agent
) -> None:
    sync(client)
    gone = SyncedAssistant.objects.get().assistant_id
    simulator.account.assistants.delete(gone)
    assert plan(client).action is Action.DELETED
    assert sync(client) is Action.DELETED
    assert sync(client, overwrite=True) is Action.CREATE
    assert SyncedAssistant.objects.get().assistant_id != gone
    assert plan(client).action is Action.NOTHING


def test_one_that_was_made_and_not_noted_is_found_again(
    simulator: VapiSimulator, client: VapiClient, agent: Agent
) -> None:
    sync(client)
    made = SyncedAssistant.objects.get().assistant_id
    SyncedAssistant.objects.all().delete()  # the process died before
    assert plan(client).action is Action.NOTHING
    sync(client)
    assert SyncedAssistant.objects.get().assistant_id == made
    assert len(simulator.account.assistants.by_id) == 2


def test_what_vapi_adds_is_no_change_by_hand(
    simulator: VapiSimulator, client: VapiClient, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Assistants.create

    def adding(self: Assistants, body: Any, **more: Any) -> dict[str, Any]:
        shown = create(self, json.loads(json.dumps(body)), **more)
        for tool in shown["model"]["tools"]:
            tool["function"]["strict"] = False
        shown["voice"]["cachingEnabled"] = True
        return shown

    monkeypatch.setattr(Assistants, "create", adding)
    sync(client)
    assert plan(client).action is Action.NOTHING
    stored(simulator)["model"]["tools"][0]["function"]["strict"] = True
    assert origins(client) == {"model.tools": Origin.BY_HAND}


def test_another_server_url_is_a_difference_without_the_secret(
    simulator: VapiSimulator, client: VapiClient, agent: Agent, account: Settings
) -> None:
    sync(client)
    account.VAPI_SERVER_SECRET = "another-secret-that-nobody-may-read-0123"
    (difference,) = plan(client).differences
    assert (difference.path, difference.origin) == ("server", Origin.OURS)
    assert "secret" not in difference.ours.lower().replace("x-vapi-secret", "")
    sync(client)
    assert stored(simulator)["server"]["headers"] == {"X-Vapi-Secret": "another-secret-that-nobody-may-read-0123"}
    account.VAPI_SERVER_CREDENTIAL_ID = "credential-1"
    sync(client)
    assert stored(simulator)["server"]["credentialId"] == "credential-1"
    assert "headers" not in stored(simulator)["server"]


def test_two_at_once_make_one_assistant(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    first, second = plan(client), plan(client)
    SyncedAssistant.objects.create(agent=agent)
    apply_plan(first, client, by="alice")
    with pytest.raises(ApplicationError, match="changed meanwhile"):
        apply_plan(second, client, by="bob")
    assert len(simulator.account.assistants.by_id) == 2


def test_agents_of_openai_have_no_assistant(client: VapiClient, agent: Agent) -> None:
    AgentVersion.objects.update(provider="openai")
    assert not agents_at_vapi().exists()
    AgentVersion.objects.update(fails_over=True)
    assert agents_at_vapi().get() == agent


def test_an_assistant_that_the_agent_names_itself_is_left_alone(client: VapiClient, agent: Agent) -> None:
    Agent.objects.update(vapi_assistant_id="732ba29e-4aeb-48ad-bd47-440d3fce8b26")
    assert not agents_at_vapi().exists()


# The command


def run(*options: str) -> str:
    out = StringIO()
    call_command("sync_assistants", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_shows_and_writes(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    shown = run("--dry-run")
    assert "Trattoria Alice: Giulia, no assistant: create" in shown
    assert len(simulator.account.assistants.by_id) == 1
    assert "created" in run()
    assert "in step" in run()
    change(agent, greeting="Ciao!")
    shown = run("--dry-run")
    assert "greeting" in shown
    assert "+ Ciao!" in shown
    assert "- Hello! How can I help you?" in shown
    assert "updated" in run()


def test_the_command_says_what_it_kept(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    run()
    stored(simulator)["firstMessage"] = "Buongiorno!"
    shown = run()
    assert "greeting (changed at VAPI by hand)" in shown
    assert "kept as it is at VAPI: greeting. --overwrite replaces it." in shown
    assert stored(simulator)["firstMessage"] == "Buongiorno!"
    assert "updated" in run("--overwrite")
    assert stored(simulator)["firstMessage"] == "Hello! How can I help you?"


def test_the_command_names_what_is_missing(account: Settings, agent: Agent) -> None:
    account.VAPI_API_KEY = ""
    with pytest.raises(CommandError, match="VAPI_API_KEY is not set"):
        run()
    AgentVersion.objects.update(provider="openai")
    assert "No published agent" in run()


def test_the_command_fails_if_vapi_refuses(simulator: VapiSimulator, agent: Agent, account: Settings) -> None:
    account.VAPI_API_KEY = "another-key"
    with pytest.raises(CommandError, match="401"):
        run()
    account.VAPI_API_KEY, account.VAPI_MODEL = KEY, "openai/"
    account.VAPI_BASE_URL = simulator.fault_url("refuse=429")
    with pytest.raises(CommandError, match="429"):
        run()


def test_one_organization_alone(simulator: VapiSimulator, client: VapiClient, agent: Agent) -> None:
    other = make_organization("Osteria Charlie")
    at_vapi(make_agent(other, name="Charlie"))
    shown = run("--dry-run", "--organization", "osteria-charlie")
    assert "Osteria Charlie: Charlie" in shown
    assert "Giulia" not in shown
