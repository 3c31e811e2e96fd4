"""A recording is announced before the greeting, where the organization wants that and the call is recorded."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.greetings.models import KeptGreeting
from agents.privacy.models import PrivacySettings
from agents.privacy.presets import ANNOUNCEMENTS, note_on, suggested_announcement
from agents.tests.builders import make_agent, make_organization, make_user
from sessions.calls.briefing import Briefing
from sessions.tests.builders import make_call
from sessions.tools.briefing import brief, brief_agent

pytestmark = pytest.mark.django_db
SAID = "This call is recorded."


@pytest.fixture
def agent(settings: Settings) -> Agent:
    settings.KEEP_GREETINGS = True
    agent = make_agent(make_organization("Harbour", country="DE"))
    PrivacySettings.objects.create(organization=agent.organization, announcement=SAID)
    return agent


def published(agent: Agent, recording: str) -> AgentVersion:
    Agent.objects.filter(pk=agent.pk).update(recording=recording, greeting="Hello!", protects_greeting=False)
    agent.refresh_from_db()
    return publish_agent(agent, by="alice")


def briefed(version: AgentVersion, **more: bool) -> Briefing:
    return brief_agent(version, version.agent.organization, call_id="1", now=timezone.now(), **more)


def test_it_is_said_before_the_greeting_and_cannot_be_interrupted(agent: Agent) -> None:
    briefing = briefed(published(agent, "bridge"))
    assert briefing.phrases.greeting == f"{SAID} Hello!"
    assert briefing.protects_greeting


def test_a_call_that_is_not_recorded_is_only_greeted(agent: Agent) -> None:
    briefing = briefed(published(agent, "off"))
    assert (briefing.phrases.greeting, briefing.protects_greeting) == ("Hello!", False)
    # In a room it depends on the call, not on what holds for the phone.
    assert briefed(published(agent, "off"), is_recorded=True).phrases.greeting == f"{SAID} Hello!"
    assert briefed(published(agent, "bridge"), is_recorded=False).phrases.greeting == "Hello!"


def test_without_an_announcement_nothing_is_said(agent: Agent) -> None:
    PrivacySettings.objects.update(announcement="  ")
    assert briefed(published(agent, "bridge")).phrases.greeting == "Hello!"
    PrivacySettings.objects.all().delete()
    assert briefed(published(agent, "bridge")).phrases.greeting == "Hello!"


def test_its_audio_is_kept_with_the_greeting(agent: Agent) -> None:
    version = published(agent, "bridge")
    kept = KeptGreeting.objects.get(text=f"{SAID} Hello!")
    KeptGreeting.objects.filter(pk=kept.pk).update(state="done", done_at=timezone.now(), audio=b"\xff" * 80)
    assert brief(make_call(agent, agent_version=version)).greeting_audio == b"\xff" * 80


def test_a_new_announcement_is_made_as_audio_at_once(agent: Agent) -> None:
    published(agent, "bridge")
    alice = Client()
    alice.force_login(make_user("alice", agent.organization))
    row = PrivacySettings.objects.get()
    page = f"/admin/agents/privacysettings/{row.pk}/change/"
    assert "Dieses Gespräch wird aufgezeichnet." in alice.get(page).content.decode()
    entered = {"announcement": "We record.", "recording_days": "90", "hold_reason": ""}
    response = alice.post(page, {"organization": str(agent.organization_id), **entered})
    assert response.status_code == 302, response.content.decode()
    assert KeptGreeting.objects.filter(text="We record. Hello!").exists()


def test_presets_are_a_help_in_the_callers_language() -> None:
    assert suggested_announcement("AT") == ANNOUNCEMENTS["de"]
    assert suggested_announcement("") == ANNOUNCEMENTS["en"]
    assert all("not legal advice" in note_on(country) for country in ("DE", "US", "GB", ""))
