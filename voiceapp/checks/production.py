"""Settings that production needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http.request import validate_host

ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")


def keys() -> Iterator[CheckMessage]:
    if settings.SECRET_KEY.startswith("insecure-"):
        yield Error("SECRET_KEY is not set.", hint="Set SECRET_KEY to 50 random characters.", id="voiceapp.E001")
    if not settings.TWILIO_AUTH_TOKEN.strip(" ,"):
        yield Error(
            "TWILIO_AUTH_TOKEN is not set: every request from Twilio gets 403.",
            hint="Set it to the auth token of your Twilio account.",
            id="voiceapp.E002",
        )
    if not (settings.OPENAI_API_KEY or settings.OPENAI_SECRET_ID):
        yield Error(
            "OPENAI_API_KEY is not set: no agent can speak.",
            hint="Set it to a key with Realtime access, or OPENAI_SECRET_ID to the AWS secret that contains one.",
            id="voiceapp.E004",
        )
    if not ACCOUNT_SID.fullmatch(settings.TWILIO_ACCOUNT_SID):
        yield Error(
            "TWILIO_ACCOUNT_SID is not an account SID: every request from Twilio gets 403.",
            hint="Set it to the account SID of your Twilio console: AC and 32 hexadecimal digits.",
            id="voiceapp.E005",
        )


def addresses() -> Iterator[CheckMessage]:
    public = urlsplit(settings.PUBLIC_BASE_URL)
    if public.scheme != "https":
        yield Error(
            "PUBLIC_BASE_URL is not an https URL: Twilio connects to wss only.",
            hint="Set PUBLIC_BASE_URL to the public URL of this server, like https://voice.example.com.",
            id="voiceapp.E003",
        )
    if not validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS does not contain the host of PUBLIC_BASE_URL: Twilio's requests get 400.",
            hint=f"Add {public.hostname} to ALLOWED_HOSTS.",
            id="voiceapp.E006",
        )
    for name in ("OPENAI_BASE_URL", "TWILIO_BASE_URL", "VAPI_BASE_URL"):
        if urlsplit(getattr(settings, name)).scheme != "https":
            yield Error(
                f"{name} is not an https URL: its key would be sent unencrypted.",
                hint=f"Remove {name} to use the provider's own URL.",
                id="voiceapp.E007",
            )


def processes() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG is on: error pages show source code.", hint="Remove DEBUG.", id="voiceapp.E008")
    if settings.SIMULATORS:
        yield Error(
            "SIMULATORS names simulated providers.",
            hint="Remove SIMULATORS and set the providers' keys.",
            id="voiceapp.E009",
        )
    has_server = settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3"
    if has_server and not settings.REDIS_URL:
        yield Error(
            "DATABASE_URL is for several processes, but REDIS_URL is not set: each would count rate limits separately.",
            hint="Set REDIS_URL, like redis://redis:6379/0.",
            id="voiceapp.E010",
        )
    if has_server and settings.CELERY_BROKER_URL.startswith(("filesystem:", "memory:")):
        yield Error(
            "CELERY_BROKER_URL is a folder of this machine: workers on other machines receive no tasks.",
            hint="Set CELERY_BROKER_URL to Redis, RabbitMQ or SQS.",
            id="voiceapp.E011",
        )
