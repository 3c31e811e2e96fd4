"""System checks: each finding has an id of its own, a fix, and goes away when the fix is made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.checks import CheckMessage
from pytest_django import Settings

from voiceapp import checks
from voiceapp.checks import check_production, check_settings
from voiceapp.providers.tests.clerk_instance import pem

PRODUCTION = {
    "SECRET_KEY": "k" * 50,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["voice.example.com"],
    "PUBLIC_BASE_URL": "https://voice.example.com",
    "IS_PUBLIC_HTTPS": True,
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
    "REDIS_URL": "redis://redis:6379/0",
    "CELERY_BROKER_URL": "redis://redis:6379/1",
    "OPENAI_API_KEY": "sk-1",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_BASE_URL": "https://api.twilio.com",
    "VAPI_BASE_URL": "https://api.vapi.ai",
    "INTERNAL_API_KEY": "i" * 32,
    "VOICE_SESSION_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/sessions",
    "OPENAI_SECRET_ID": "",
    "UPSTASH_REDIS_REST_URL": "",
    "UPSTASH_REDIS_REST_TOKEN": "",
    "VAPI_API_KEY": "k" * 36,
    "VAPI_SERVER_SECRET": "s" * 40,
    "LIVEKIT_HOST": "wss://example.livekit.cloud",
    "LIVEKIT_INTERNAL_URL": "http://livekit:7880",
    "LIVEKIT_API_KEY": "API1",
    "LIVEKIT_API_SECRET": "s" * 32,
    "RECORDINGS_DIR": "/srv/recordings",
    "LIVEKIT_RECORDING_BUCKET": "recordings",
    "LIVEKIT_RECORDING_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIA1",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_ENDPOINT_URL": "",
    "SIMULATORS": [],
    "LOG_LEVEL": "info",
    "METRICS_LISTEN": "",
    "MAX_LIVE_CALLS": 1,
    "MAX_UNSTARTED_STREAMS": 1,
    "CLERK_ISSUER": "https://clerk.example.com",
    "CLERK_JWT_KEY": pem("ins_first"),
    "CLERK_AUTHORIZED_PARTIES": ["https://app.example.com"],
}
WRONG = [
    ("OPENAI_VOICE", "en-GB-Standard-A", "E027"),
    ("OPENAI_REALTIME_MODEL", "", "E027"),
    ("OPENAI_TRANSCRIPTION_MODEL", "gpt transcribe", "E027"),
    ("SECRET_KEY", "insecure-only-for-a-laptop", "E001"),
    ("TWILIO_AUTH_TOKEN", "", "E002"),
    ("TWILIO_AUTH_TOKEN", " , ", "E002"),
    ("PUBLIC_BASE_URL", "http://voice.example.com", "E003"),
    ("OPENAI_API_KEY", "", "E004"),
    ("TWILIO_ACCOUNT_SID", "", "E005"),
    ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32, "E005"),
    ("ALLOWED_HOSTS", ["localhost"], "E006"),
    ("OPENAI_BASE_URL", "http://10.0.0.1/v1", "E007"),
    ("TWILIO_BASE_URL", "http://127.0.0.1:9100", "E007"),
    ("VAPI_BASE_URL", "http://10.0.0.1", "E007"),
    ("DEBUG", True, "E008 W004"),
    ("SIMULATORS", ["openai"], "E009"),
    ("REDIS_URL", "", "E010"),
    ("CELERY_BROKER_URL", "filesystem://", "E011"),
    ("PUBLIC_BASE_URL", "https://voice.example.com:99999", "E012"),
    ("PUBLIC_BASE_URL", "https://voice.example.com?x=1", "E012"),
    ("METRICS_LISTEN", "9464", "E013"),
    ("MAX_LIVE_CALLS", 0, "E014"),
    ("MAX_UNSTARTED_STREAMS", 0, "E014"),
    ("TOOL_TIMEOUT_S", 0, "E023"),
    ("IDLE_LINK_MAX_AGE_S", 9, "E028"),
    ("IDLE_LINK_MAX_AGE_S", 600, "E028"),
    ("INTERNAL_API_KEY", "", "W001"),
    ("INTERNAL_API_KEY", "short", "W002"),
    ("LOG_LEVEL", "loud", "W003"),
    ("VOICE_SESSION_QUEUE_URL", "", "W006"),
    ("VOICE_SESSION_QUEUE_URL", "voice-sessions", "E022"),
    ("AWS_ENDPOINT_URL", "localhost:4566", "E022"),
    ("GCS_ENDPOINT_URL", "localhost:4566", "E022"),
    ("LIVEKIT_RECORDING_BUCKET", "gs://calls", "E024"),
    ("GCS_CREDENTIALS", "/etc/key.json", "E025"),
    ("AWS_ACCESS_KEY_ID", "", "E021"),
    ("AWS_SECRET_ACCESS_KEY", "", "E021"),
    ("LIVEKIT_RECORDING_REGION", "", "W009"),
    ("RECORDINGS_DIR", str(configured.VAR_DIR / "recordings"), "W022"),
    ("DEFAULT_FROM_EMAIL", "voicemail", "E043"),
    ("LIVEKIT_HOST", "", "E018"),
    ("LIVEKIT_API_KEY", "", "E018"),
    ("LIVEKIT_API_SECRET", "", "E018"),
    ("LIVEKIT_API_SECRET", "devsecret", "W008"),
    ("LIVEKIT_HOST", "https://[livekit", "E019"),
    ("LIVEKIT_INTERNAL_URL", "livekit:7880", "E019"),
    ("LIVEKIT_HOST", "ws://livekit.example.com", "E020"),
    ("VAPI_SERVER_AUTH", "password", "E040"),
    ("VAPI_HMAC_ALGORITHM", "md5", "E040"),
    ("VAPI_HMAC_ENCODING", "base32", "E040"),
    ("VAPI_HMAC_PAYLOAD", "{timestamp}", "E041"),
    ("VAPI_MODEL", "gpt-4.1", "E042"),
    ("VAPI_VOICE", "", "E042"),
    ("VAPI_SERVER_SECRET", "", "W020"),
    ("VAPI_SERVER_AUTH", "hmac", "W021"),
    ("CLERK_ISSUER", "http://clerk.example.com", "E015"),
    ("CLERK_ISSUER", "clerk.example.com", "E015"),
    ("CLERK_ISSUER", "https://[clerk", "E015"),
    ("CLERK_ISSUER", "", "W005"),
    ("CLERK_JWT_KEY", "pk_live_nothing", "E016"),
    ("CLERK_AUTHORIZED_PARTIES", ["https://app.example.com", "app.example.com"], "E017"),
    ("CLERK_AUTHORIZED_PARTIES", ["https://app.example.com/page"], "E017"),
]


@pytest.fixture
def production(settings: Settings) -> Settings:
    for name, value in PRODUCTION.items():
        if name != "DATABASES":
            setattr(settings, name, value)
    # Not through the fixture: Django would close and reopen the connections of the tests.
    settings.DATABASES = PRODUCTION["DATABASES"]
    return settings


def findings() -> list[CheckMessage]:
    return check_production() + check_settings()


@pytest.mark.parametrize("name", ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"])
def test_the_redis_of_upstash_is_named_by_redis_url_alone(settings: Settings, name: str) -> None:
    settings.REDIS_URL = ""
    setattr(settings, name, "https://eu1-calm-crane-1.upstash.io")
    found = [message for message in check_settings() if message.id == "voiceapp.W007"]
    assert "REDIS_URL" in str(found[0].hint)
    settings.REDIS_URL = "rediss://default:secret@eu1-calm-crane-1.upstash.io:6379"
    assert "voiceapp.W007" not in {message.id for message in check_settings()}


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_complete_production_has_no_finding(production: Settings) -> None:
    assert findings() == []


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(("name", "value", "ids"), WRONG)
def test_what_is_wrong_is_found_by_its_id_with_a_fix(production: Settings, name: str, value: object, ids: str) -> None:
    setattr(production, name, value)
    found = findings()
    assert [message.id for message in found] == [f"voiceapp.{each}" for each in ids.split()]
    assert all(message.hint for message in found)


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_key_in_secrets_manager_is_a_key(production: Settings) -> None:
    production.OPENAI_API_KEY = ""
    production.OPENAI_SECRET_ID = "voiceapp/prod/openai"
    assert findings() == []


def test_every_id_is_tried_here() -> None:
    files = Path(checks.__file__).parent.glob("*.py")
    known = {each for file in files for each in re.findall(r'"voiceapp\.([EW]\d{3})"', file.read_text())}
    assert known == {each for _, _, ids in WRONG for each in ids.split()} | {"W007"}
