"""Which AI provider answers an agent's calls, and which one stands in for it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from agents.configuration.models import Agent, Persona
from agents.configuration.readiness import Level, checks_of
from agents.configuration.services import publish_agent
from agents.greetings.models import KeptGreeting
from agents.tests.builders import make_agent, make_organization

pytestmark = pytest.mark.django_db

VAPI = Persona.Provider.VAPI


def level_of_provider(agent: Agent) -> Level | None:
    return next((check.level for check in checks_of(agent) if check.name == "AI provider"), None)


def test_openai_answers_and_nobody_stands_in_unless_that_is_chosen() -> None:
    agent = make_agent(make_organization())
    assert (agent.provider, agent.fallback_provider) == ("openai", "")


@pytest.mark.parametrize(("provider", "other"), [("openai", "vapi"), ("vapi", "openai"), ("another", "")])
def test_each_stands_in_for_the_other(provider: str, other: str) -> None:
    assert Agent(provider=provider, fails_over=True).fallback_provider == other
    assert Agent(provider=provider).fallback_provider == ""


def test_publishing_copies_the_provider_and_not_the_assistant() -> None:
    agent = make_agent(make_organization(), provider=VAPI, fails_over=True, vapi_assistant_id="an-assistant")
    version = agent.published_version
    assert version is not None
    assert (version.provider, version.fallback_provider) == ("vapi", "openai")
    assert not hasattr(version, "vapi_assistant_id")


@pytest.mark.parametrize("assistant_id", ["../assistant", "an assistant", "a?b", "ä"])
def test_an_id_that_is_none_of_vapis_is_refused(assistant_id: str) -> None:
    agent = make_agent(make_organization())
    agent.vapi_assistant_id = assistant_id
    with pytest.raises(ValidationError):
        agent.full_clean()


def test_no_greeting_is_kept_for_vapi(settings: Settings) -> None:
    settings.KEEP_GREETINGS = True
    agent = make_agent(make_organization(), provider=VAPI)
    assert not KeptGreeting.objects.exists()
    agent.provider = "openai"
    agent.save()
    publish_agent(agent, by="alice")
    assert KeptGreeting.objects.get().provider == "openai"


@pytest.mark.parametrize(
    ("key", "fails_over", "level"),
    [("a-key", False, Level.GOOD), ("", True, Level.DOUBTFUL), ("", False, Level.USELESS)],
)
def test_the_checklist_says_whether_vapi_can_answer(
    settings: Settings, key: str, fails_over: bool, level: Level
) -> None:
    settings.VAPI_API_KEY = key
    assert level_of_provider(make_agent(make_organization(), provider=VAPI, fails_over=fails_over)) is level


def test_the_checklist_of_an_agent_with_openai_is_as_before() -> None:
    assert level_of_provider(make_agent(make_organization())) is None
