"""`POST /voice-session` over HTTP: the spec's example, what OpenAI receives, the record, and its end."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.utils import timezone

from agents.organizations.models import ApiKey, Organization
from agents.organizations.principal import Principal
from agents.tests.builders import make_agent, make_organization
from sessions import tasks
from sessions.messages.models import OutboxMessage
from sessions.realtime.models import VoiceSession
from sessions.realtime.services import voice_sessions
from voiceapp.core.jobs.retention import KEPT_FOR
from voiceapp.simulators.openai import OpenAISimulator

from .conftest import SendRequest

EXAMPLE: dict[str, object] = {
    "instructions": "Optional custom instructions to append to the template",
    "text_only": False,
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def settings_of(server: OpenAISimulator, secret: str) -> dict[str, object]:
    """The session for which OpenAI minted this secret."""
    minted = server.secrets.find(secret)
    assert minted is not None
    return dict(minted.settings)


def test_the_example_is_answered_as_the_spec_shows(send_request: SendRequest, openai: OpenAISimulator) -> None:
    answer = send_request(EXAMPLE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert sorted(body) == ["client_secret", "expires_at", "session_id"]
    assert all(isinstance(value, str) and value for value in body.values())
    assert TIMESTAMP.fullmatch(body["expires_at"])
    left = dt.datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert dt.timedelta(seconds=50) < left <= dt.timedelta(seconds=61)
    session = settings_of(openai, body["client_secret"])
    assert session["type"] == "realtime"
    assert session["output_modalities"] == ["audio"]
    assert str(session["instructions"]).endswith(f"\n\n{EXAMPLE['instructions']}")


def test_text_only_is_requested(send_request: SendRequest, openai: OpenAISimulator) -> None:
    session = settings_of(openai, send_request({"text_only": True}).json()["client_secret"])
    assert session["output_modalities"] == ["text"]


@pytest.mark.parametrize("body", [b"{}", b""])
def test_nothing_is_required(body: bytes, send_request: SendRequest, openai: OpenAISimulator) -> None:
    session = settings_of(openai, send_request(body).json()["client_secret"])
    assert str(session["instructions"]).startswith("You are a friendly and helpful voice assistant.")
    assert session["output_modalities"] == ["audio"]


def test_the_published_agent_is_the_template(
    send_request: SendRequest, openai: OpenAISimulator, alices: Organization, settings: object
) -> None:
    agent = make_agent(alices, prompt="You are Giulia.", voice="cedar", model="gpt-realtime-1.5")
    agent.prompt = "A draft that nobody published."
    agent.save()
    session = settings_of(openai, send_request({"instructions": "Speak of pizza."}).json()["client_secret"])
    assert session["instructions"] == "You are Giulia.\n\nSpeak of pizza."
    assert session["model"] == "gpt-realtime-1.5"
    assert session["audio"]["output"] == {"voice": "cedar"}  # type: ignore[index]


def test_the_record_lives_thirty_days_and_belongs_to_its_principal(
    send_request: SendRequest, alices: Organization
) -> None:
    made_at = timezone.now()
    answer = send_request({"text_only": True}).json()
    [record] = VoiceSession.objects.all()
    assert record.session_id == answer["session_id"]
    assert record.organization == alices
    assert record.owner == f"key_{ApiKey.objects.get().prefix}"
    assert record.is_text_only
    assert record.expires_at - record.created_at == dt.timedelta(days=30)
    assert abs(record.created_at - made_at) < dt.timedelta(seconds=3)
    mine = Principal(subject="x", organization_ids=frozenset([alices.pk]))
    charlies = Principal(subject="y", organization_ids=frozenset([make_organization("Charlie's").pk]))
    assert list(VoiceSession.objects.visible_to(mine)) == [record]
    assert not VoiceSession.objects.visible_to(charlies)
    assert not VoiceSession.objects.visible_to(Principal(subject="y"))


def test_the_secret_is_kept_nowhere(send_request: SendRequest) -> None:
    secret = send_request().json()["client_secret"]
    for model in (VoiceSession, OutboxMessage):
        assert secret not in str(list(model.objects.values()))


def test_a_record_is_gone_at_the_instant_it_expires_and_purged_later(
    send_request: SendRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_sessions, "PURGED_AT_ONCE", 2)
    for _ in range(3):
        send_request()
    OutboxMessage.objects.update(state=OutboxMessage.State.DONE)
    ends_at = VoiceSession.objects.order_by("-expires_at")[0].expires_at
    everyone = Principal(subject="root", sees_all=True)
    last = VoiceSession.objects.filter(expires_at=ends_at)
    with time_machine.travel(ends_at - dt.timedelta(seconds=1), tick=False):
        assert last.visible_to(everyone).exists()
    with time_machine.travel(ends_at, tick=False):
        assert not VoiceSession.objects.visible_to(everyone).exists()
        waiting = OutboxMessage.objects.order_by("-id")[:1]
        OutboxMessage.objects.filter(pk__in=[message.pk for message in waiting]).update(
            state=OutboxMessage.State.WAITING
        )
        assert tasks.purge_voice_sessions() == 3
        assert tasks.purge_voice_sessions() == 0
    assert not VoiceSession.objects.exists()
    assert OutboxMessage.objects.count() == 1
    with time_machine.travel(ends_at + KEPT_FOR, tick=False):
        tasks.purge_voice_sessions()
    assert not OutboxMessage.objects.exists(), "an announcement that no queue ever took"
