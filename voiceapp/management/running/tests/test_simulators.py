"""Which simulators `make run` starts, and the settings that lead the product to them."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from voiceapp.management.running.simulators import Simulator, required_simulators

ALL = ["openai", "vapi", "twilio", "livekit", "aws"]
ENVIRONMENT = {"PUBLIC_BASE_URL": "http://127.0.0.1:8080", "PROJECT_NAME": "voiceapp", "ENVIRONMENT": "dev"}
KEYS = {
    "openai": ["OPENAI_API_KEY"],
    "vapi": ["VAPI_API_KEY"],
    "twilio": ["TWILIO_AUTH_TOKEN"],
    "livekit": ["LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
    "aws": ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "VOICE_SESSION_QUEUE_URL"],
}


@pytest.fixture
def no_keys(settings: Settings) -> Settings:
    for name in [*(key for keys in KEYS.values() for key in keys), "LIVEKIT_RECORDING_BUCKET"]:
        setattr(settings, name, "")
    return settings


def required() -> dict[str, Simulator]:
    return {simulator.name: simulator for simulator in required_simulators(ENVIRONMENT)}


def test_without_keys_every_provider_is_simulated(no_keys: Settings) -> None:
    assert list(required()) == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_provider_with_keys_is_not_simulated(no_keys: Settings, name: str) -> None:
    for key in KEYS[name] if name == "livekit" else KEYS[name][:1]:
        setattr(no_keys, key, "https://real.example.com")
    assert list(required()) == [other for other in ALL if other != name]


@pytest.mark.parametrize("key", KEYS["aws"])
def test_aws_is_not_simulated_if_any_setting_names_it(no_keys: Settings, key: str) -> None:
    setattr(no_keys, key, "https://real.example.com")
    assert "aws" not in required()


def test_livekit_is_simulated_unless_all_of_its_keys_are_set(no_keys: Settings) -> None:
    no_keys.LIVEKIT_HOST = "wss://real.example.com"
    assert "livekit" in required()


def test_the_product_gets_the_addresses_and_the_credentials(no_keys: Settings) -> None:
    simulators = required()
    aws = simulators["aws"].environment("http://127.0.0.1:9400")
    assert aws["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9400"
    assert aws["VOICE_SESSION_QUEUE_URL"] == "http://127.0.0.1:9400/123456789012/voiceapp-dev-voice-sessions"
    assert aws["VOICE_SESSION_TABLE"] == "voiceapp-dev-voice-sessions"
    assert aws["LIVEKIT_RECORDING_BUCKET"] == "voiceapp-dev-recordings"
    assert {"--queue", "--table", "--bucket"} <= set(simulators["aws"].arguments)
    vapi = simulators["vapi"].environment("http://127.0.0.1:9500")
    assert vapi["VAPI_BASE_URL"] == "http://127.0.0.1:9500"
    assert len(vapi["VAPI_SERVER_SECRET"]) >= 32
    livekit = simulators["livekit"].environment("http://127.0.0.1:9300")
    assert (livekit["LIVEKIT_HOST"], livekit["LIVEKIT_INTERNAL_URL"]) == (
        "ws://127.0.0.1:9300",
        "http://127.0.0.1:9300",
    )
    assert len(livekit["LIVEKIT_API_SECRET"]) >= 32
    assert simulators["livekit"].credentials["LIVEKIT_WEBHOOK_URL"] == "http://127.0.0.1:8080/api/voice/webhook"
    assert not any(
        secret in " ".join(simulator.arguments) for simulator in simulators.values() for secret in livekit.values()
    )


def test_a_real_livekit_gets_no_bucket_that_it_cannot_reach(no_keys: Settings) -> None:
    for key in KEYS["livekit"]:
        setattr(no_keys, key, "wss://real.example.com")
    assert "LIVEKIT_RECORDING_BUCKET" not in required()["aws"].environment("http://127.0.0.1:9400")
