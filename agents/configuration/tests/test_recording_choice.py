"""Who records an agent's calls: one source, which can record them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.forms import modelform_factory
from pytest_django import Settings

from agents.configuration.admin.agent import AgentForm
from agents.configuration.admin.differences import differences
from agents.configuration.models import Agent, Persona
from agents.configuration.readiness import Level, checks_of
from agents.configuration.services import publish_agent
from agents.tests.builders import make_agent, make_organization

pytestmark = pytest.mark.django_db

RecordedBy = Persona.RecordedBy


def check_of_recording(agent: Agent) -> tuple[Level, str] | None:
    return next(((check.level, check.text) for check in checks_of(agent) if check.name == "Recording"), None)


def test_nothing_is_recorded_unless_that_is_chosen() -> None:
    agent = make_agent(make_organization())
    assert (agent.recording, agent.room_recording) == ("off", "egress")
    assert check_of_recording(agent) is None


def test_a_choice_is_published_and_shown_as_a_difference() -> None:
    agent = make_agent(make_organization(), recording=RecordedBy.BRIDGE, room_recording="agent")
    version = agent.published_version
    assert version is not None
    assert (version.recording, version.room_recording) == ("bridge", "agent")
    agent.recording = RecordedBy.TWILIO
    (change,) = differences(version, agent)
    assert change.label == "phone calls are recorded by"
    publish_agent(agent, by="alice", note=str(dt.date(2026, 11, 29)))
    version.refresh_from_db()
    assert version.recording == "bridge", "calls of the earlier version say what recorded them"


@pytest.mark.parametrize(
    ("host", "bucket", "chosen", "level", "text"),
    [
        ("ws://livekit", "", "egress", Level.DOUBTFUL, "LIVEKIT_RECORDING_BUCKET is not set on the server"),
        ("ws://livekit", "calls", "egress", Level.GOOD, "LiveKit records calls in rooms."),
        ("ws://livekit", "", "agent", None, ""),
        ("", "", "egress", None, ""),
    ],
)
def test_the_checklist_says_why_livekit_would_record_nothing(
    settings: Settings, host: str, bucket: str, chosen: str, level: Level | None, text: str
) -> None:
    settings.LIVEKIT_HOST, settings.LIVEKIT_RECORDING_BUCKET = host, bucket
    checks = checks_of(make_agent(make_organization(), room_recording=chosen))
    found = next((check for check in checks if check.name == "Recording in rooms"), None)
    assert (found.level if found else None) is level
    assert found is None or text in found.text


@pytest.mark.parametrize(
    ("provider", "fails_over", "is_taken"), [("openai", False, False), ("openai", True, True), ("vapi", False, True)]
)
def test_vapi_records_only_calls_that_it_plays(provider: str, fails_over: bool, is_taken: bool) -> None:
    agent = make_agent(make_organization())
    fields = {name: getattr(agent, name) for name in (*Persona.persona_fields(), "name", "is_default")}
    given = {name: value for name, value in fields.items() if value not in (None, False)}
    chosen = {"provider": provider, "recording": "vapi", "organization": str(agent.organization_id)}
    switches = {"fails_over": "on"} if fails_over else {}
    form_class = modelform_factory(Agent, form=AgentForm, fields="__all__")
    form = form_class({**given, **chosen, **switches}, instance=agent)
    assert ("recording" not in form.errors) is is_taken, form.errors
    if not is_taken:
        assert "Choose it as AI provider" in form.errors["recording"][0]


@pytest.mark.parametrize(
    ("recording", "provider", "settings_", "text"),
    [
        ("twilio", "openai", {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID is not set on the server"),
        ("vapi", "vapi", {"VAPI_API_KEY": ""}, "VAPI_API_KEY is not set on the server"),
        ("vapi", "openai", {"VAPI_API_KEY": "k"}, "it plays none of this agent's"),
        ("vapi", "vapi", {"VAPI_API_KEY": "k"}, ""),
        ("twilio", "openai", {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"}, ""),
    ],
)
def test_the_checklist_says_why_nothing_would_be_recorded(
    settings: Settings, recording: str, provider: str, settings_: dict[str, str], text: str
) -> None:
    for name, value in settings_.items():
        setattr(settings, name, value)
    found = check_of_recording(make_agent(make_organization(), provider=provider, recording=recording))
    assert found is not None
    assert found[0] is (Level.DOUBTFUL if text else Level.GOOD)
    assert text in found[1]
