"""What an agent is saved and published with has the form that its providers take."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.tests.builders import make_agent, make_organization
from voiceapp.core.errors import ApplicationError

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    return make_agent(make_organization())


BAD: list[tuple[str, Any, str]] = [
    ("language", "English", "en-US"),
    ("language", "xx", "ISO 639-1"),
    ("language", "deu", "ISO 639-1"),
    ("language", "", ""),
    ("voice", "nova-2", "marin"),
    ("voice", "en-GB-Standard-A", "marin"),
    ("model", "the best one", "gpt-realtime"),
    ("tools", ["end_call", "launch rockets"], "launch rockets"),
    ("tools", "end_call", "list"),
    ("vad_threshold", 1.5, "1"),
    ("vad_prefix_padding_ms", 9000, "2000"),
    ("vad_silence_ms", 50, "100"),
    ("vad_eagerness", "eager", "eager"),
    ("turn_detection", "loud_vad", "loud_vad"),
    ("noise_reduction", "strong", "strong"),
    ("prompt", "x" * 32_001, "32000"),
]


@pytest.mark.parametrize(("field", "value", "advice"), BAD, ids=[f"{field}-{n}" for n, (field, _, _) in enumerate(BAD)])
def test_a_field_that_a_provider_refuses_is_neither_saved_nor_published(
    field: str, value: Any, advice: str, agent: Agent
) -> None:
    setattr(agent, field, value)
    with pytest.raises(ValidationError) as refused:
        agent.full_clean()
    assert advice in " ".join(refused.value.message_dict[field])
    Agent.objects.filter(pk=agent.pk).update(**{field: value})
    with pytest.raises(ApplicationError) as not_published:
        publish_agent(agent, by="alice")
    assert field.replace("_", " ") in str(not_published.value)
    assert AgentVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "kept"), [("en_us", "en-US"), ("PT-br", "pt-BR"), ("zh-hant", "zh-Hant"), ("de-CH", "de-CH")]
)
def test_a_language_is_saved_and_published_in_one_spelling(typed: str, kept: str, agent: Agent) -> None:
    agent.language = typed
    agent.full_clean()
    assert agent.language == kept
    Agent.objects.filter(pk=agent.pk).update(language=typed)
    assert publish_agent(agent, by="alice").language == kept
    assert Agent.objects.get(pk=agent.pk).language == kept


@pytest.mark.parametrize("voice", ["", "marin", "nova", "voice_1a2B3c"])
def test_a_voice_of_openais_its_old_name_and_a_custom_one_are_taken(voice: str, agent: Agent) -> None:
    agent.voice = voice
    agent.full_clean()


def test_voices_that_openai_adds_are_a_setting(agent: Agent, settings: Settings) -> None:
    settings.OPENAI_VOICES = [*settings.OPENAI_VOICES, "fjord"]
    agent.voice = "fjord"
    agent.full_clean()
