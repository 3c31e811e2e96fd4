"""The greeting of what is published is kept once, made by a worker, and read once per process."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent, roll_back_agent
from agents.greetings.models import KeptGreeting
from agents.greetings.queries import kept_audio, kept_greeting
from agents.greetings.services import greetings, keep_greeting_again
from agents.tests.builders import make_agent, make_organization

pytestmark = pytest.mark.django_db

State = KeptGreeting.State


def version_of(agent: Agent) -> AgentVersion:
    assert agent.published_version is not None
    return agent.published_version


def make(audio: bytes = b"sound") -> None:
    """As a worker does."""
    KeptGreeting.objects.update(state=State.DONE, done_at=timezone.now(), audio=audio)


def audio_of(agent: Agent) -> bytes:
    return kept_audio(agent.organization_id, version_of(agent).spoken_greeting)


def test_publishing_has_the_greeting_spoken_by_the_voice_of_the_version(settings: Settings) -> None:
    settings.OPENAI_VOICE, settings.OPENAI_REALTIME_MODEL = "cedar", "gpt-realtime-2"
    agent = make_agent(make_organization(), greeting="Ciao!", language="it")
    kept = KeptGreeting.objects.get()
    assert kept.greeting == version_of(agent).spoken_greeting
    assert (kept.provider, kept.model, kept.voice, kept.language) == ("openai", "gpt-realtime-2", "cedar", "it")
    assert (kept.text, kept.state, kept.organization) == ("Ciao!", State.WAITING, agent.organization)


def test_a_worker_is_woken_up_after_the_commit(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(greetings, "wake_up", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        make_agent(make_organization())
        assert woken == []
    assert woken == ["openai"]


def test_a_later_version_with_the_same_greeting_needs_no_other() -> None:
    agent = make_agent(make_organization())
    make()
    Agent.objects.filter(pk=agent.pk).update(prompt="Something new")
    publish_agent(agent, by="bob")
    assert KeptGreeting.objects.count() == 1
    assert audio_of(agent) == b"sound"


@pytest.mark.parametrize(
    "change", [{"greeting": "Hi!"}, {"voice": "cedar"}, {"model": "gpt-realtime-2"}, {"language": "de"}]
)
def test_another_text_voice_model_or_language_does(change: dict[str, str]) -> None:
    agent = make_agent(make_organization(), voice="marin")
    make()
    Agent.objects.filter(pk=agent.pk).update(**change)
    publish_agent(agent, by="bob")
    assert KeptGreeting.objects.count() == 2
    assert audio_of(agent) == b""


def test_an_earlier_version_that_is_live_again_has_its_own() -> None:
    agent = make_agent(make_organization(), greeting="Hello!")
    make()
    Agent.objects.filter(pk=agent.pk).update(greeting="Good evening!")
    publish_agent(agent, by="bob")
    assert audio_of(agent) == b""
    roll_back_agent(agent, number=1)
    assert audio_of(agent) == b"sound"


def test_another_default_voice_is_spoken_when_the_version_is_live_again(settings: Settings) -> None:
    agent = make_agent(make_organization())
    make()
    settings.OPENAI_VOICE = "cedar"
    assert audio_of(agent) == b""
    roll_back_agent(agent, number=1)
    assert sorted(KeptGreeting.objects.values_list("voice", "state")) == [("cedar", "waiting"), ("marin", "done")]


def test_each_organization_has_its_own() -> None:
    alices = make_agent(make_organization())
    make()
    charlies = make_agent(make_organization("Charlie's Garage"))
    assert KeptGreeting.objects.count() == 2
    assert (audio_of(alices), audio_of(charlies)) == (b"sound", b"")


def test_publishing_again_gives_a_failed_one_all_its_attempts() -> None:
    agent = make_agent(make_organization())
    KeptGreeting.objects.update(state=State.FAILED, attempts=8)
    publish_agent(agent, by="bob")
    kept = KeptGreeting.objects.get()
    assert (kept.state, kept.attempts) == (State.WAITING, 0)


def test_it_is_used_only_once_it_is_made() -> None:
    agent = make_agent(make_organization())
    KeptGreeting.objects.update(audio=b"half")
    assert audio_of(agent) == b""


def test_it_is_read_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    agent = make_agent(make_organization())
    make()
    audio_of(agent)
    with django_assert_num_queries(1):
        assert audio_of(agent) == b"sound"


def test_made_again_it_is_not_used_until_it_is_ready_and_then_anew() -> None:
    agent = make_agent(make_organization())
    make()
    audio_of(agent)
    keep_greeting_again(agent.organization_id, version_of(agent).spoken_greeting)
    assert audio_of(agent) == b""
    make(b"better")
    assert audio_of(agent) == b"better"


def test_switched_off_nothing_is_kept_or_used(settings: Settings) -> None:
    agent = make_agent(make_organization())
    make()
    settings.KEEP_GREETINGS = False
    assert audio_of(agent) == b""
    assert kept_greeting(agent.organization_id, version_of(agent).spoken_greeting) is None
    make_agent(make_organization("Charlie's Garage"))
    assert KeptGreeting.objects.count() == 1
