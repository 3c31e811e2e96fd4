"""System checks: what production must not lack and what cannot be meant, each with an id and a fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.http.request import validate_host

from voiceapp.providers.clerk_keys import GivenKey
from voiceapp.providers.errors import ProviderError

ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
SHORTEST_KEY = 32


@register(Tags.security, deploy=True)
def check_production(**_: object) -> list[CheckMessage]:
    """Errors for what makes a production server unsafe or deaf."""
    return [*_keys(), *_addresses(), *_processes()]


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """What helps on a laptop too: values that cannot be meant, and doors that stay shut."""
    return [*_values(), *_doors(), *_announcements(), *_clerk()]


def _keys() -> Iterator[CheckMessage]:
    if settings.SECRET_KEY.startswith("insecure-"):
        yield Error("SECRET_KEY is not set.", hint="Set SECRET_KEY to 50 random characters.", id="voiceapp.E001")
    if not settings.TWILIO_AUTH_TOKEN.strip(" ,"):
        yield Error(
            "TWILIO_AUTH_TOKEN is not set: every Twilio door answers 403.",
            hint="Set it to the auth token of your Twilio account.",
            id="voiceapp.E002",
        )
    if not (settings.OPENAI_API_KEY or settings.OPENAI_SECRET_ID):
        yield Error(
            "OPENAI_API_KEY is not set: no agent can answer.",
            hint="Set it to a key with Realtime access, or OPENAI_SECRET_ID to the secret of AWS that holds one.",
            id="voiceapp.E004",
        )
    if not ACCOUNT_SID.fullmatch(settings.TWILIO_ACCOUNT_SID):
        yield Error(
            "TWILIO_ACCOUNT_SID is not the id of an account: every Twilio door answers 403.",
            hint="Set it to the account SID of your Twilio console: AC and 32 digits of 0-9 and a-f.",
            id="voiceapp.E005",
        )


def _addresses() -> Iterator[CheckMessage]:
    public = urlsplit(settings.PUBLIC_BASE_URL)
    if public.scheme != "https":
        yield Error(
            "PUBLIC_BASE_URL is not an https address: Twilio connects to wss only.",
            hint="Set PUBLIC_BASE_URL to the address that Twilio reaches, like https://voice.example.com.",
            id="voiceapp.E003",
        )
    if not validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS does not hold the host of PUBLIC_BASE_URL: Twilio's requests get 400.",
            hint=f"Add {public.hostname} to ALLOWED_HOSTS.",
            id="voiceapp.E006",
        )
    for name in ("OPENAI_BASE_URL", "TWILIO_BASE_URL"):
        if urlsplit(getattr(settings, name)).scheme != "https":
            yield Error(
                f"{name} is not an https address: its key would travel in the clear.",
                hint=f"Remove {name} to use the company's own address.",
                id="voiceapp.E007",
            )


def _processes() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG is on: error pages show our code.", hint="Remove DEBUG.", id="voiceapp.E008")
    if settings.LOCAL_COMPANIES:
        yield Error(
            "LOCAL_COMPANIES names companies that are only played.",
            hint="Remove LOCAL_COMPANIES and set the companies' real keys.",
            id="voiceapp.E009",
        )
    has_server = settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3"
    if has_server and not settings.REDIS_URL:
        yield Error(
            "DATABASE_URL is made for several processes, but REDIS_URL is not set: each would count limits for itself.",
            hint="Set REDIS_URL, like redis://redis:6379/0.",
            id="voiceapp.E010",
        )
    if has_server and settings.CELERY_BROKER_URL.startswith(("filesystem:", "memory:")):
        yield Error(
            "CELERY_BROKER_URL is a folder of this machine: workers elsewhere are never woken.",
            hint="Set CELERY_BROKER_URL to Redis, RabbitMQ or SQS.",
            id="voiceapp.E011",
        )


def _values() -> Iterator[CheckMessage]:
    if not _is_base_url(settings.PUBLIC_BASE_URL):
        yield Error(
            "PUBLIC_BASE_URL is no address that signatures can be checked over.",
            hint="Give scheme and host, at most a port and a path: https://voice.example.com.",
            id="voiceapp.E012",
        )
    if settings.METRICS_LISTEN and not re.fullmatch(r"\S*:\d{1,5}", settings.METRICS_LISTEN):
        yield Error(
            "METRICS_LISTEN is no host and port.", hint="Set it like 127.0.0.1:9464, or remove it.", id="voiceapp.E013"
        )
    for name in ("MAX_LIVE_CALLS", "MAX_UNSTARTED_STREAMS"):
        if getattr(settings, name) < 1:
            yield Error(f"{name} is below 1: no call is taken.", hint=f"Raise {name}.", id="voiceapp.E014")
    if settings.LOG_LEVEL not in {"debug", "info", "warn", "error"}:
        yield Warning(
            "LOG_LEVEL is none of debug, info, warn, error; info is used.",
            hint="Set LOG_LEVEL to one of them.",
            id="voiceapp.W003",
        )
    if settings.DEBUG and settings.IS_PUBLIC_HTTPS:
        yield Warning(
            "DEBUG is on at a public address: error pages show our code to everyone.",
            hint="Remove DEBUG.",
            id="voiceapp.W004",
        )


def _doors() -> Iterator[CheckMessage]:
    if not settings.INTERNAL_API_KEY:
        yield Warning(
            "INTERNAL_API_KEY is not set: /api/realtime/* and /metrics answer 401 to everyone.",
            hint=f"Set INTERNAL_API_KEY to at least {SHORTEST_KEY} random characters.",
            id="voiceapp.W001",
        )
    elif len(settings.INTERNAL_API_KEY) < SHORTEST_KEY:
        yield Warning(
            f"INTERNAL_API_KEY is shorter than {SHORTEST_KEY} characters.",
            hint=f"Set INTERNAL_API_KEY to at least {SHORTEST_KEY} random characters.",
            id="voiceapp.W002",
        )


def _announcements() -> Iterator[CheckMessage]:
    if not settings.VOICE_SESSION_QUEUE_URL:
        yield Warning(
            "VOICE_SESSION_QUEUE_URL is not set: the announcements of voice sessions wait in the outbox.",
            hint="Set VOICE_SESSION_QUEUE_URL to the URL of an SQS queue.",
            id="voiceapp.W006",
        )


def _clerk() -> Iterator[CheckMessage]:
    if settings.CLERK_ISSUER and not _is_private(settings.CLERK_ISSUER):
        yield Error(
            "CLERK_ISSUER is no https address: anybody between could say who is signed in.",
            hint="Set it to the address of your Clerk frontend API, like https://clerk.example.com.",
            id="voiceapp.E015",
        )
    if settings.CLERK_JWT_KEY.strip():
        try:
            GivenKey(settings.CLERK_JWT_KEY)
        except ProviderError as exc:
            yield Error(
                f"{exc}: everybody who signs in with Clerk gets 503.",
                hint="Copy the PEM public key of Clerk's dashboard, its lines joined by \\n, or remove CLERK_JWT_KEY.",
                id="voiceapp.E016",
            )
        if not settings.CLERK_ISSUER:
            yield Warning(
                "CLERK_JWT_KEY is set, but CLERK_ISSUER is not: no token of Clerk's is taken.",
                hint="Set CLERK_ISSUER to the address of your Clerk frontend API.",
                id="voiceapp.W005",
            )
    wrong = [origin for origin in settings.CLERK_AUTHORIZED_PARTIES if not _is_origin(origin)]
    if wrong and settings.CLERK_ISSUER:
        yield Error(
            f"CLERK_AUTHORIZED_PARTIES has what is no origin: {wrong[0]}",
            hint="Give scheme and host, at most a port: https://app.example.com.",
            id="voiceapp.E017",
        )


def _is_private(url: str) -> bool:
    """Nobody between here and there can change what is said: https, or this machine."""
    parts = urlsplit(url) if _is_base_url(url) else None
    return parts is not None and (parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"})


def _is_origin(text: str) -> bool:
    return _is_base_url(text) and text.count("/") == 2


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.query or parts.fragment or parts.username)
        )
    except ValueError:
        return False
