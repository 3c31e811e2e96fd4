"""Publishing, rolling back and comparing from the agent's pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from agents.configuration.admin.differences import differences
from agents.configuration.models import Agent
from agents.tests.builders import make_agent, make_organization
from telephony.vapi.models import SyncedAssistant

from .world import World

ASSISTANT = "0c1f6a52-7a0e-4b7e-9b0a-5a3f5c2d9e11"


def press(client: Client, agent: Agent, button: str, text: str = "") -> str:
    address = reverse("admin:agents_agent_press", args=(agent.pk, button))
    return client.post(address, {"text": text}, follow=True).content.decode()


def test_publishing_copies_the_draft_with_its_note(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    Agent.objects.filter(pk=agent.pk).update(greeting="Ahoy!")
    assert (
        "1 unpublished change"
        in client_of_alice.get(reverse("admin:agents_agent_change", args=(agent.pk,))).content.decode()
    )
    page = press(client_of_alice, agent, "publish", "Sounds like the sea")
    assert "Version 2 of Harbour agent is published" in page
    assert "The draft below is identical" in page
    version = agent.versions.get(number=2)
    assert (version.greeting, version.note, version.published_by) == ("Ahoy!", "Sounds like the sea", "alice")


def test_rolling_back_lets_the_earlier_version_answer(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    Agent.objects.filter(pk=agent.pk).update(greeting="Ahoy!")
    press(client_of_alice, agent, "publish")
    first = agent.versions.get(number=1)
    page = client_of_alice.get(reverse("admin:agents_agentversion_change", args=(first.pk,))).content.decode()
    assert "Changes from version 1 to the draft" in page
    assert "Ahoy!" in page
    client_of_alice.post(reverse("admin:agents_agentversion_press", args=(first.pk, "roll-back")))
    agent.refresh_from_db()
    assert (agent.published_version, agent.greeting) == (first, "Ahoy!")
    again = client_of_alice.post(reverse("admin:agents_agentversion_press", args=(first.pk, "roll-back")), follow=True)
    assert "no longer possible" in again.content.decode()


def test_pausing_and_resuming(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    press(client_of_alice, agent, "pause")
    agent.refresh_from_db()
    assert agent.is_paused
    press(client_of_alice, agent, "resume")
    agent.refresh_from_db()
    assert not agent.is_paused


def test_the_default_moves_to_the_agent_that_is_marked(client_of_alice: Client, harbour: World) -> None:
    first = harbour[Agent]
    second = Agent.objects.create(organization=harbour.organization, name="Second")
    form = {
        name: getattr(second, name)
        for name in ("name", "greeting", "language", "turn_detection", "vad_threshold", "vad_prefix_padding_ms",
                     "vad_silence_ms", "vad_eagerness", "reprompt", "reprompt_after_s", "silence_goodbye",
                     "goodbye_after_s", "filler", "filler_after_ms", "longest_call_minutes", "tools")
    }  # fmt: skip
    page = client_of_alice.post(
        reverse("admin:agents_agent_change", args=(second.pk,)), form | {"is_default": "on", "tools": ["end_call"]}
    )
    assert page.status_code == 302, page.context["adminform"].form.errors
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.is_default, second.is_default, second.tools) == (False, True, ["end_call"])


def test_a_name_used_twice_is_refused_politely(client_of_alice: Client, harbour: World) -> None:
    form = {"name": "Harbour agent", "greeting": "Hi", "tools": ["end_call"]}
    page = client_of_alice.post("/admin/agents/agent/add/", form)
    assert page.status_code == 200
    assert Agent.objects.count() == 1


def test_an_agent_that_was_published_is_not_deleted(client_of_alice: Client, harbour: World) -> None:
    address = reverse("admin:agents_agent_delete", args=(harbour[Agent].pk,))
    assert client_of_alice.post(address, {"post": "yes"}).status_code == 403


def test_a_difference_is_shown_line_by_line() -> None:
    before = Agent(name="a", prompt="One\nTwo\nThree", vad_silence_ms=500)
    after = Agent(name="b", prompt="One\n2\nThree", vad_silence_ms=400)
    found = {each.label: [(line.mark, line.text) for line in each.lines] for each in differences(before, after)}
    assert found == {
        "prompt": [(" ", "One"), ("-", "Two"), ("+", "2"), (" ", "Three")],
        "silence before the turn ends (ms)": [("-", "500"), ("+", "400")],
    }


def test_the_ai_provider_and_its_assistant_are_chosen_on_the_page(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    address = reverse("admin:agents_agent_change", args=(agent.pk,))
    page = client_of_alice.get(address)
    text = page.content.decode()
    for label in ("AI provider", "VAPI assistant ID", "Fall over to the other AI provider", "OpenAI Realtime"):
        assert label in text
    initial = page.context["adminform"].form.initial
    form = {name: value for name, value in initial.items() if value is not None}
    changed = form | {"provider": "vapi", "fails_over": "on", "vapi_assistant_id": ASSISTANT}
    saved = client_of_alice.post(address, changed)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    agent.refresh_from_db()
    assert (agent.provider, agent.fails_over, agent.vapi_assistant_id) == ("vapi", True, ASSISTANT)
    assert client_of_alice.post(address, form | {"provider": ""}).status_code == 302
    agent.refresh_from_db()
    assert agent.provider == "vapi"


@pytest.mark.parametrize(
    "written", [ASSISTANT.upper(), f" {ASSISTANT} ", ASSISTANT.replace("-", "")], ids=["upper", "spaces", "no dashes"]
)
def test_an_assistant_id_is_kept_as_vapi_writes_it(client_of_alice: Client, harbour: World, written: str) -> None:
    form = _form_of(client_of_alice, harbour[Agent])
    assert client_of_alice.post(_address(harbour[Agent]), form | {"vapi_assistant_id": written}).status_code == 302
    harbour[Agent].refresh_from_db()
    assert harbour[Agent].vapi_assistant_id == ASSISTANT


@pytest.mark.parametrize("written", ["an-assistant", "732ba29e", f"{ASSISTANT}x"])
def test_an_assistant_id_that_is_no_uuid_is_refused(client_of_alice: Client, harbour: World, written: str) -> None:
    form = _form_of(client_of_alice, harbour[Agent])
    page = client_of_alice.post(_address(harbour[Agent]), form | {"vapi_assistant_id": written})
    assert "Enter the ID of an assistant as VAPI shows it" in page.content.decode()
    harbour[Agent].refresh_from_db()
    assert harbour[Agent].vapi_assistant_id == ""


@pytest.mark.parametrize("how", ["named", "kept in step"])
def test_the_assistant_of_another_organizations_agent_is_refused(
    client_of_alice: Client, harbour: World, how: str
) -> None:
    stranger = make_agent(make_organization("Elsewhere"), vapi_assistant_id=ASSISTANT if how == "named" else "")
    if how == "kept in step":
        SyncedAssistant.objects.create(agent=stranger, assistant_id=ASSISTANT)
    form = _form_of(client_of_alice, harbour[Agent])
    page = client_of_alice.post(_address(harbour[Agent]), form | {"vapi_assistant_id": ASSISTANT})
    assert "belongs to an agent of another organization" in page.content.decode()
    harbour[Agent].refresh_from_db()
    assert harbour[Agent].vapi_assistant_id == ""


def test_agents_of_one_organization_may_share_an_assistant(client_of_alice: Client, harbour: World) -> None:
    make_agent(harbour[Agent].organization, name="Night", is_default=False, vapi_assistant_id=ASSISTANT)
    form = _form_of(client_of_alice, harbour[Agent])
    assert client_of_alice.post(_address(harbour[Agent]), form | {"vapi_assistant_id": ASSISTANT}).status_code == 302


def _address(agent: Agent) -> str:
    return reverse("admin:agents_agent_change", args=(agent.pk,))


def _form_of(client: Client, agent: Agent) -> dict[str, object]:
    initial = client.get(_address(agent)).context["adminform"].form.initial
    return {name: value for name, value in initial.items() if value is not None}
