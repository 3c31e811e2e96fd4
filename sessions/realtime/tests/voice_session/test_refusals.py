"""What a bad request gets, what OpenAI's failures become, and that nothing half-made is left of either."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from sessions.messages.models import OutboxMessage
from sessions.realtime.models import VoiceSession
from voiceapp.providers.openai import rest as openai_http
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.tests.gate import closed_address

from .conftest import OPENAI_KEY, SendRequest

pytestmark = [pytest.mark.waits, pytest.mark.embedded]

BAD_BODIES: list[Any] = [
    {"instructions": 5},
    {"instructions": None},
    {"instructions": ["a"]},
    {"instructions": "x" * 32_001},
    {"instructions": "a\0b"},
    {"text_only": "false"},
    {"text_only": 0},
    {"text_only": None},
    {"textOnly": True},
    [],
    b"{",
    b'"text"',
    b"[" * 100,
    b'{"instructions": "\\ud800"}',
    b'{"instructions": "' + b"x" * 300_000 + b'"}',
]


def nothing_is_left() -> bool:
    return not VoiceSession.objects.exists() and not OutboxMessage.objects.exists()


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: str(body)[:30])
def test_a_bad_body_is_400(body: Any, send_request: SendRequest) -> None:
    answer = send_request(body if body != [] else b"[]")
    assert answer.status_code == 400
    assert sorted(answer.json()) == ["details", "error", "message"]
    assert nothing_is_left()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_is_405(method: str, send_request: SendRequest) -> None:
    assert send_request(method=method).status_code == 405


def test_another_media_type_is_415(send_request: SendRequest) -> None:
    assert send_request(b"instructions=a", Content_Type="application/x-www-form-urlencoded").status_code == 415


def test_a_stranger_is_401(send_request: SendRequest) -> None:
    answer = send_request(key="")
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


def test_a_key_without_the_scope_is_403(send_request: SendRequest, alices: Organization) -> None:
    reading = issue_key(alices, name="reading", scopes=[Scope.CALLS_READ]).text
    assert send_request(key=reading).status_code == 403


def test_it_counts_as_creation_of_a_session(send_request: SendRequest, settings: Settings) -> None:
    settings.LIMIT_SESSION_CREATION = "2/h"
    assert [send_request().status_code for _ in range(3)] == [200, 200, 429]
    assert VoiceSession.objects.count() == 2


@pytest.mark.parametrize(
    ("faults", "status", "error", "message"),
    [
        (["refuse=401"], 500, "Failed to create session", "OpenAI returned 401 Unauthorized."),
        (["refuse=400"], 500, "Failed to create session", "OpenAI returned 400 Bad Request."),
        (["redirect=307"], 500, "Failed to create session", "OpenAI returned 307 Temporary Redirect."),
        (["refuse=429"], 503, "Voice service unavailable", "OpenAI returned 429 Too Many Requests."),
        (["refuse=500"], 503, "Voice service unavailable", "OpenAI returned 500 Internal Server Error."),
        (["garbage"], 500, "Failed to create session", "OpenAI's response could not be read."),
        (["big_frame=2"], 500, "Failed to create session", "OpenAI's response could not be read."),
        (["drip"], 503, "Voice service unavailable", "OpenAI did not respond in time."),
        (["hang"], 503, "Voice service unavailable", "OpenAI did not respond in time."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_failure_of_openai_has_a_message(
    faults: list[str], status: int, error: str, message: str, send_request: SendRequest, openai: OpenAISimulator,
    settings: Settings, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(openai_http, "WHOLE_RESPONSE_S", 1.0)
    monkeypatch.setattr(openai_http, "TIMEOUTS", httpx.Timeout(1.0))
    monkeypatch.setattr(openai_http._client, "values", {})
    settings.OPENAI_BASE_URL = openai.fault_url(f"tag={uuid4().hex}", *faults)
    answer = send_request()
    assert answer.status_code == status
    assert answer.json() == {"error": error, "message": message, "details": {}}
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert nothing_is_left()


def test_an_openai_that_is_away_is_503(send_request: SendRequest, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = closed_address() + "/v1"
    answer = send_request()
    assert (answer.status_code, answer.json()["message"]) == (503, "OpenAI cannot be reached right now.")
    assert nothing_is_left()


def test_without_a_key_for_openai_it_is_500(send_request: SendRequest, aws: str, settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    answer = send_request()
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "Failed to create session", "message": "No key for OpenAI is configured.", "details": {}},
    )
    assert nothing_is_left()


def test_no_response_contains_the_key(send_request: SendRequest, openai: OpenAISimulator, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-wrong-and-never-to-be-shown"
    answer = send_request()
    assert answer.status_code == 500
    assert "sk-wrong" not in answer.text
    assert OPENAI_KEY not in answer.text


def test_others_write_while_openai_is_waited_for(
    send_request: SendRequest, openai: OpenAISimulator, settings: Settings
) -> None:
    settings.OPENAI_BASE_URL = openai.fault_url(f"tag={uuid4().hex}", "slow=3000")
    waiting = threading.Thread(target=send_request)
    waiting.start()
    time.sleep(0.4)
    OutboxMessage.objects.create(topic="other", partition_key="a", body={})
    assert waiting.is_alive()
    assert not VoiceSession.objects.exists()
    waiting.join()
    assert VoiceSession.objects.count() == 1
