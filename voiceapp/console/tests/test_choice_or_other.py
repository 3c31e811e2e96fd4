"""Voice, model and language are chosen from a list, and any other value can be entered."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.configuration.models import Agent
from agents.tenant_admin.choice_or_other import OTHER

from .test_buttons_save import Page
from .world import World


def page_of(client: Client, agent: Agent) -> str:
    return client.get(reverse("admin:agents_agent_change", args=(agent.pk,))).content.decode()


def selected(page: str, name: str) -> str:
    listed = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    assert listed
    chosen = re.findall(r'<option value="([^"]*)" selected', listed.group())
    assert len(chosen) == 1
    return str(chosen[0])


def save(client: Client, agent: Agent, **changes: str) -> int:
    posted = Page(page_of(client, agent), "agent_form").posted(**changes)
    status = client.post(reverse("admin:agents_agent_change", args=(agent.pk,)), posted).status_code
    agent.refresh_from_db()
    return status


def test_the_lists_offer_what_the_server_is_configured_with(
    client_of_alice: Client, harbour: World, settings: Settings
) -> None:
    settings.OPENAI_VOICE, settings.OPENAI_VOICES = "cedar", ["cedar", "marin"]
    settings.OPENAI_REALTIME_MODELS = ["gpt-realtime-9"]
    page = page_of(client_of_alice, harbour[Agent])
    for option in ("Server default (cedar)", "Marin", "gpt-realtime-9", "German (de)", "Other…"):
        assert f">{option}</option>" in page, option
    assert [selected(page, name) for name in ("voice", "model", "language")] == ["", "", "en"]


@pytest.mark.parametrize(("name", "value"), [("voice", "sage"), ("model", "gpt-realtime-2"), ("language", "de")])
def test_a_listed_value_is_chosen(client_of_alice: Client, harbour: World, name: str, value: str) -> None:
    agent = harbour[Agent]
    assert save(client_of_alice, agent, **{name: value}) == 302
    assert getattr(agent, name) == value
    assert selected(page_of(client_of_alice, agent), name) == value


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("voice", "voice_abc123", "voice_abc123"), ("model", "gpt-next", "gpt-next"), ("language", "pt_br", "pt-BR")],
)
def test_any_other_value_is_entered_and_shown_again(
    client_of_alice: Client, harbour: World, name: str, value: str, kept: str
) -> None:
    agent = harbour[Agent]
    assert save(client_of_alice, agent, **{name: OTHER, f"{name}_other": value}) == 302
    assert getattr(agent, name) == kept
    page = page_of(client_of_alice, agent)
    assert selected(page, name) == OTHER
    assert re.search(rf'name="{name}_other"[^>]* value="{kept}"|value="{kept}"[^>]* name="{name}_other"', page)
    assert save(client_of_alice, agent) == 302
    assert getattr(agent, name) == kept


def test_an_unknown_voice_is_refused_and_stays_in_its_field(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    posted = Page(page_of(client_of_alice, agent), "agent_form").posted(voice=OTHER, voice_other="nobody")
    page = client_of_alice.post(reverse("admin:agents_agent_change", args=(agent.pk,)), posted).content.decode()
    assert "OpenAI has no voice “nobody”." in page
    assert selected(page, "voice") == OTHER
    assert 'value="nobody"' in page


def test_other_without_a_value_is_refused_where_one_is_needed(client_of_alice: Client, harbour: World) -> None:
    agent = harbour[Agent]
    assert save(client_of_alice, agent, language=OTHER, language_other="") == 200
    assert agent.language == "en"
