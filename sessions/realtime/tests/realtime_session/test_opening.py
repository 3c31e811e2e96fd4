"""POST /realtime_session as its documentation shows it, and what becomes of a provider that fails."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from agents.organizations.models import Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import issue_key
from voiceapp.simulators.openai import MODELS, OpenAISimulator

from .conftest import BODY, OPENAI_KEY, SendRequest
from .dialed import Dialed
from .stub import EXPIRES_AT, MINTED, Stub

EXAMPLE = {
    "model": "gpt-4o-realtime-preview",
    "voice": "verse",
    "endpoint": "https://api.openai.com/v1/realtime/sessions",
}


def test_the_documents_example_is_answered_in_its_shape(send_request: SendRequest) -> None:
    before = dt.datetime.now(dt.UTC)
    answer = send_request(EXAMPLE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"session"}
    session = answer.json()["session"]
    assert set(session) == {"id", "model", "model_used", "voice_used", "expires_at", "client_secret"}
    assert re.fullmatch(r"sess_\w+", session["id"])
    assert (session["model"], session["voice_used"]) == ("gpt-4o-realtime-preview", "verse")
    assert session["model_used"] in MODELS
    secret = session["client_secret"]
    assert set(secret) == {"value", "expires_at"}
    assert secret["value"].startswith("ek_")
    for expires_at in (session["expires_at"], secret["expires_at"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", expires_at)
        life = dt.datetime.fromisoformat(expires_at) - before
        assert dt.timedelta(seconds=50) < life < dt.timedelta(seconds=65)


def test_the_secret_opens_a_session_with_the_model_and_voice(
    send_request: SendRequest, openai: OpenAISimulator, settings: Settings
) -> None:
    settings.REALTIME_SECRET_LIFE_S = 10
    session = send_request({"model": "gpt-realtime-2.1-mini", "voice": "nova"}).json()["session"]
    assert (session["model_used"], session["voice_used"]) == ("gpt-realtime-2.1-mini", "coral")
    minted = openai.secrets.find(session["client_secret"]["value"])
    assert minted is not None
    assert (minted.model, minted.settings["audio"]["output"]["voice"]) == ("gpt-realtime-2.1-mini", "coral")
    assert dt.datetime.fromisoformat(session["expires_at"]).timestamp() == minted.expires_at


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.openai.com",
        "https://api.openai.com/",
        "https://API.OpenAI.com:443/v1/realtime/client_secrets?x=1",
        "https://api.openai.com/anything/@127.0.0.1/../..",
    ],
)
def test_openais_own_origin_is_no_override_whatever_its_path(
    send_request: SendRequest, endpoint: str, dialed: Dialed
) -> None:
    assert send_request({**BODY, "endpoint": endpoint}).status_code == 200
    assert "api.openai.com" not in dialed.names


def test_the_origin_of_the_configured_openai_is_no_override(send_request: SendRequest, openai: OpenAISimulator) -> None:
    # Not even of a fault: the request goes to the configured address, not to the named one.
    assert send_request({**BODY, "endpoint": openai.fault_url("refuse=500")}).status_code == 200


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("refuse=401", "OpenAI returned 401 Unauthorized"),
        ("refuse=403", "OpenAI returned 403 Forbidden"),
        ("refuse=429", "OpenAI returned 429 Too Many Requests"),
        ("refuse=500", "OpenAI returned 500 Internal Server Error"),
        ("refuse=503", "OpenAI returned 503 Service Unavailable"),
        ("refuse=599", "OpenAI returned 599"),
        ("redirect=307", "OpenAI returned 307 Temporary Redirect"),
        ("garbage", "OpenAI's response could not be read."),
        ("big_frame=2", "OpenAI's response could not be read."),
    ],
)
def test_a_failing_openai_is_a_provider_error_with_a_message(
    send_request: SendRequest, openai: OpenAISimulator, settings: Settings, fault: str, message: str
) -> None:
    settings.OPENAI_BASE_URL = openai.fault_url(fault)
    answer = send_request()
    assert (answer.status_code, answer.json()) == (500, {"error_code": "provider_error", "message": message})


def test_a_model_that_openai_does_not_know_is_a_provider_error(send_request: SendRequest) -> None:
    answer = send_request({"model": "invented", "voice": "verse"})
    assert (answer.status_code, answer.json()["message"]) == (500, "OpenAI returned 404 Not Found")


def test_an_unreachable_openai_is_a_provider_error(send_request: SendRequest, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:1/v1"
    answer = send_request()
    assert answer.status_code == 500
    assert answer.json() == {"error_code": "provider_error", "message": "OpenAI cannot be reached right now."}


def test_without_a_key_no_request_is_sent(send_request: SendRequest, stub: Stub, settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    settings.AWS_ENDPOINT_URL, settings.AWS_ACCESS_KEY_ID = "http://127.0.0.1:1", "x"
    settings.AWS_SECRET_ACCESS_KEY = "x"
    settings.OPENAI_BASE_URL = f"{stub.url}/v1"
    answer = send_request()
    assert (answer.status_code, answer.json()["error_code"]) == (500, "provider_error")
    assert stub.sent == []


def test_who_proves_nothing_is_unauthorized(send_request: SendRequest) -> None:
    for key in ("", "va_aaaaaaaaaa_" + "A" * 43, OPENAI_KEY):
        answer = send_request(key=key)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "unauthorized")
        assert set(answer.json()) == {"error_code", "message"}


def test_a_key_without_the_scope_is_forbidden(send_request: SendRequest, alices: Organization) -> None:
    key = issue_key(alices, name="reader", scopes=[Scope.CALLS_READ]).text
    answer = send_request(key=key)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")


def test_a_stub_on_the_developers_machine_gets_a_placeholder(
    send_request: SendRequest, stub: Stub, settings: Settings
) -> None:
    settings.ENVIRONMENT = "dev"
    answer = send_request({**BODY, "endpoint": f"{stub.url}/v1/realtime/sessions"})
    expires_at = f"{dt.datetime.fromtimestamp(EXPIRES_AT, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert answer.json()["session"] == {
        "id": "sess_stub",
        "model": "gpt-4o-realtime-preview",
        "model_used": "gpt-realtime-2.1",
        "voice_used": "verse",
        "expires_at": expires_at,
        "client_secret": {"value": MINTED["value"], "expires_at": expires_at},
    }
    [sent] = stub.sent
    assert (sent.path, sent.key) == ("/v1/realtime/client_secrets", "Bearer placeholder-key-for-a-stub")
    assert json.loads(sent.body) == {
        "session": {"type": "realtime", "model": "gpt-realtime-2.1", "audio": {"output": {"voice": "verse"}}},
        "expires_after": {"anchor": "created_at", "seconds": 60},
    }


def test_a_stub_that_refuses_is_reported_as_openai(send_request: SendRequest, stub: Stub, settings: Settings) -> None:
    settings.ENVIRONMENT = "dev"
    stub.response.status = 401
    answer = send_request({**BODY, "endpoint": stub.url})
    assert answer.status_code == 500
    assert answer.json() == {"error_code": "provider_error", "message": "OpenAI returned 401 Unauthorized"}


def test_a_user_without_a_membership_has_no_role_and_opens_none(
    openai: OpenAISimulator, transactional_db: None
) -> None:
    client = Client()
    client.force_login(User.objects.create_user("dora"))
    response = client.post("/realtime_session", BODY, content_type="application/json")
    assert (response.status_code, set(response.json())) == (403, {"error_code", "message"})
    assert "not a member of an organization" in response.json()["message"]
