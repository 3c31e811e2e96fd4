"""OpenAI's key out of AWS Secrets Manager: kept, refreshed with age, and after a refusal, while AWS may be away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from pytest_django import Settings

from voiceapp.providers.aws import secrets_manager as aws_secrets
from voiceapp.providers.aws.client import aws_client
from voiceapp.providers.openai import key as openai_key
from voiceapp.providers.openai.client import OpenAIClient, OpenAIError, OpenAIErrorKind, browser_session, openai_api_key
from voiceapp.simulators.openai import OpenAISimulator
from voiceapp.simulators.openai.tests.running import running_openai
from voiceapp.tests.gate import Gate, Mode, closed_address, gate_before
from voiceapp.tests.waiting import soon

SESSION = browser_session(model="gpt-realtime-2.1", voice="marin", instructions="", transcription_model="whisper-1")


@pytest.fixture
def gate(local_aws: str, settings: Settings) -> Iterator[Gate]:
    """Secrets Manager, its requests counted; no key in the environment, a project of this test's own."""
    with gate_before(local_aws) as gate:
        settings.AWS_ENDPOINT_URL = gate.url
        settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "testing"
        settings.OPENAI_API_KEY = settings.OPENAI_SECRET_ID = ""
        settings.PROJECT_NAME, settings.ENVIRONMENT = f"project-{uuid4().hex}", "staging"
        yield gate


def keep(text: str, *, name: str = "") -> None:
    """Put the secret where it is looked for; again is a rotation."""
    client = aws_client("secretsmanager")
    name = name or openai_key.secret_id()
    try:
        client.create_secret(Name=name, SecretString=text)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, SecretString=text)


def test_the_environments_key_goes_first_and_needs_no_request(gate: Gate, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-env"
    assert openai_api_key() == "sk-env"
    assert openai_key.is_key_cached()
    assert gate.arrived == 0


@pytest.mark.parametrize(
    "text",
    [
        "sk-1",
        " sk-1\n",
        '"sk-1"',
        '{"OPENAI_API_KEY": "sk-1", "other": "x"}',
        '{"openai-api-key": "sk-1"}',
        '{"apiKey": "sk-1", "value": "no"}',
        '{"whatever": "sk-1"}',
    ],
)
def test_a_secret_is_the_key_or_holds_it(text: str) -> None:
    assert openai_key.read_key(text) == "sk-1"


@pytest.mark.parametrize(
    "text", ["", " ", "{", "{}", '{"a": "b", "c": "d"}', '{"key": 5}', "sk 1", "sk-1\nsk-2", "sk-ü"]
)
def test_a_secret_without_a_key_is_recognized(text: str) -> None:
    with pytest.raises(ValueError):
        openai_key.read_key(text)


def test_it_is_fetched_once_under_the_projects_name(gate: Gate, settings: Settings) -> None:
    keep("sk-kept", name=f"{settings.PROJECT_NAME}/staging/openai")
    before = gate.arrived
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: openai_api_key(), range(40)))
    assert keys == {"sk-kept"}
    assert gate.arrived == before + 1
    assert openai_key.is_key_cached()


def test_another_name_may_be_given(gate: Gate, settings: Settings) -> None:
    settings.OPENAI_SECRET_ID = f"elsewhere-{uuid4().hex}"
    keep('{"OPENAI_API_KEY": "sk-elsewhere"}', name=settings.OPENAI_SECRET_ID)
    assert openai_api_key() == "sk-elsewhere"


def test_an_old_key_is_refreshed_without_a_wait(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("sk-old")
    assert openai_api_key() == "sk-old"
    keep("sk-new")
    assert openai_api_key() == "sk-old"
    monkeypatch.setattr(aws_secrets, "FRESH_FOR_S", 0.0)
    monkeypatch.setattr(openai_key._kept(), "_next_fetch_at", 0.0)
    assert openai_api_key() == "sk-old"
    soon(lambda: openai_api_key() == "sk-new")


def test_a_key_that_is_kept_outlives_an_outage(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("sk-kept")
    assert openai_api_key() == "sk-kept"
    monkeypatch.setattr(aws_secrets, "FRESH_FOR_S", 0.0)
    gate.behind = closed_address()
    monkeypatch.setattr(openai_key._kept(), "_next_fetch_at", 0.0)
    before = gate.arrived
    assert openai_api_key() == "sk-kept"
    soon(lambda: gate.arrived > before)
    assert openai_api_key() == "sk-kept"


def test_no_secret_means_no_key_and_is_not_fetched_at_every_request(gate: Gate) -> None:
    for _ in range(5):
        with pytest.raises(OpenAIError) as raised:
            openai_api_key()
        assert raised.value.kind is OpenAIErrorKind.NOT_CONFIGURED
    assert gate.arrived == 1


def test_a_secret_without_a_key_is_no_key(gate: Gate) -> None:
    keep("{}")
    with pytest.raises(OpenAIError) as raised:
        openai_api_key()
    assert raised.value.kind is OpenAIErrorKind.NOT_CONFIGURED


def test_an_aws_that_hangs_costs_a_bounded_time(gate: Gate) -> None:
    """That of one request: the next ones do not wait again."""
    gate.mode = Mode.KEEPS_REQUESTS
    for _ in range(3):
        with pytest.raises(OpenAIError) as raised:
            openai_api_key()
        assert raised.value.kind is OpenAIErrorKind.KEY_UNAVAILABLE
    assert gate.arrived == 1


@pytest.fixture
def rotated(settings: Settings) -> Iterator[OpenAISimulator]:
    """An OpenAI that takes the new key alone."""
    with running_openai(keys=["sk-new"]) as server:
        settings.OPENAI_BASE_URL = server.base_url
        yield server


def test_a_rotated_key_is_taken_when_the_old_one_is_refused(
    gate: Gate, rotated: OpenAISimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_secrets, "COOLDOWN_S", 0.0)
    keep("sk-old")
    assert openai_api_key() == "sk-old"
    keep("sk-new")
    assert OpenAIClient.from_settings().create_client_secret(SESSION).value.startswith("ek_")
    before = gate.arrived
    assert OpenAIClient.from_settings().create_client_secret(SESSION).value.startswith("ek_")
    assert gate.arrived == before


def test_many_refusals_at_once_fetch_the_new_key_once(
    gate: Gate, rotated: OpenAISimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_secrets, "COOLDOWN_S", 0.0)
    keep("sk-old")
    openai_api_key()
    keep("sk-new")
    clients = [OpenAIClient.from_settings() for _ in range(12)]
    before = gate.arrived
    with ThreadPoolExecutor(12) as pool:
        minted = list(pool.map(lambda client: client.create_client_secret(SESSION), clients))
    assert all(secret.session_id for secret in minted)
    assert gate.arrived == before + 1


def test_a_wrong_key_is_looked_up_again_at_most_once_in_a_while(gate: Gate, rotated: OpenAISimulator) -> None:
    keep("sk-wrong")
    before = gate.arrived
    for _ in range(5):
        with pytest.raises(OpenAIError) as raised:
            OpenAIClient.from_settings().create_client_secret(SESSION)
        assert raised.value.kind is OpenAIErrorKind.CREDENTIALS_REFUSED
        assert "sk-wrong" not in str(raised.value)
    assert gate.arrived == before + 1


def test_a_refused_key_of_the_environment_is_final(gate: Gate, rotated: OpenAISimulator, settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-wrong"
    with pytest.raises(OpenAIError):
        OpenAIClient.from_settings().create_client_secret(SESSION)
    assert gate.arrived == 0


def test_a_key_is_json_on_the_wire_as_it_was_kept(gate: Gate) -> None:
    keep(json.dumps({"OPENAI_API_KEY": "sk-json"}))
    assert OpenAIClient.from_settings().headers() == {"Authorization": "Bearer sk-json"}
