"""A recording is announced before the greeting, where the organization wants that and the call is recorded."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import Agent, AgentVersion
from agents.configuration.services import publish_agent
from agents.greetings.models import KeptGreeting
from agents.privacy.models import PrivacySettings
from agents.privacy.presets import ANNOUNCEMENTS, STOP_HINTS, note_on, suggested_announcement, suggested_stop_hint
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


def tools_of(briefing: Briefing) -> list[str]:
    return [tool["name"] for tool in briefing.tools]


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


@pytest.fixture
def with_key(agent: Agent) -> Agent:
    PrivacySettings.objects.update(stop_key="9", stop_hint="If you do not want that, press 9.")
    return agent


def test_the_key_is_named_to_callers_who_have_keys(with_key: Agent) -> None:
    version = published(with_key, "bridge")
    briefing = brief(make_call(with_key, agent_version=version))
    assert briefing.phrases.greeting == f"{SAID} If you do not want that, press 9. Hello!"
    assert (briefing.stop_key, briefing.recording) == ("9", "bridge")
    in_room = briefed(version, is_recorded=True, has_keys=False)
    assert (in_room.phrases.greeting, in_room.stop_key) == (f"{SAID} Hello!", "")


def test_the_tool_is_there_while_the_call_is_recorded(with_key: Agent) -> None:
    version = published(with_key, "bridge")
    recorded = make_call(with_key, agent_version=version)
    assert "stop_recording" in tools_of(brief(recorded))
    assert "## Recording" in brief(recorded).instructions
    declined = make_call(with_key, agent_version=version, recording_declined_at=timezone.now())
    in_browser = make_call(with_key, agent_version=version, kind="browser")  # over WebRTC
    by_dialer = make_call(with_key, agent_version=version, kind="browser", carrier_sid=None)
    assert "stop_recording" in tools_of(brief(by_dialer))
    assert brief(by_dialer).stop_key == "9"
    unrecorded = make_call(with_key, agent_version=published(with_key, "off"))
    for call in (declined, in_browser, unrecorded):
        briefing = brief(call)
        assert (briefing.phrases.greeting, briefing.stop_key, briefing.recording) == ("Hello!", "", "off")
        assert "stop_recording" not in tools_of(briefing)
        assert "## Recording" not in briefing.instructions


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
    entered |= {"stop_key": "9", "stop_hint": "Press nine to stop it."}
    refused = alice.post(page, {"organization": str(agent.organization_id), **entered}).content.decode()
    assert (
        "Name the key 9, for callers cannot know it. Such as: Wenn Sie das nicht möchten, drücken Sie die 9." in refused
    )
    entered["stop_hint"] = "Press 9 to stop it."
    assert alice.post(page, {"organization": str(agent.organization_id), **entered}).status_code == 302
    assert KeptGreeting.objects.filter(text="We record. Press 9 to stop it. Hello!").exists()


@pytest.mark.parametrize(
    ("entered", "faults"),
    [
        ({"stop_key": "", "stop_hint": ""}, set()),
        ({"stop_key": "9", "stop_hint": "Press 9."}, set()),
        ({"stop_key": "9", "stop_hint": "Drücken Sie die 9!"}, set()),
        ({"stop_key": "9", "stop_hint": "Press 19 or 91."}, {"stop_hint"}),
        ({"stop_key": "9", "stop_hint": ""}, {"stop_hint"}),
        ({"stop_key": "9", "stop_hint": "Press 9.", "announcement": " "}, {"announcement"}),
        ({"stop_key": "0", "stop_hint": "Press 0."}, {"stop_key"}),
        ({"stop_key": "*", "stop_hint": "Press *."}, {"stop_key"}),
    ],
)
def test_a_key_is_a_digit_that_callers_are_told(agent: Agent, entered: dict[str, str], faults: set[str]) -> None:
    row = PrivacySettings(organization=agent.organization, **{"announcement": SAID, **entered})
    found: set[str] = set()
    try:
        row.full_clean(exclude=["organization"])
    except ValidationError as error:
        found = set(error.message_dict)
    assert found == faults


def test_presets_are_a_help_in_the_callers_language() -> None:
    assert suggested_stop_hint("US", "7") == "If you do not want that, press 7."
    assert suggested_announcement("AT") == ANNOUNCEMENTS["de"]
    assert suggested_announcement("") == ANNOUNCEMENTS["en"]
    assert ANNOUNCEMENTS.keys() == STOP_HINTS.keys()
    assert all("not legal advice" in note_on(country) for country in ("DE", "US", "GB", ""))
