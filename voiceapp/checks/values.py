"""Invalid values, and endpoints that refuse every request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ValidationError

from voiceapp.providers.openai.fields import validate_model, validate_voice

from .addresses import is_base_url

MIN_KEY_LENGTH = 32


def values() -> Iterator[CheckMessage]:
    if not is_base_url(settings.PUBLIC_BASE_URL):
        yield Error(
            "PUBLIC_BASE_URL is not a URL that signatures can be verified with.",
            hint="Write scheme, host and optionally port and path: https://voice.example.com.",
            id="voiceapp.E012",
        )
    if settings.METRICS_LISTEN and not re.fullmatch(r"\S*:\d{1,5}", settings.METRICS_LISTEN):
        yield Error(
            "METRICS_LISTEN is not a host and port.",
            hint="Set it like 127.0.0.1:9464, or remove it.",
            id="voiceapp.E013",
        )
    for name in ("MAX_LIVE_CALLS", "MAX_UNSTARTED_STREAMS"):
        if getattr(settings, name) < 1:
            yield Error(f"{name} is below 1: no call is accepted.", hint=f"Raise {name}.", id="voiceapp.E014")
    if settings.TOOL_TIMEOUT_S < 1:
        yield Error("TOOL_TIMEOUT_S is below 1: no tool runs.", hint="Raise TOOL_TIMEOUT_S.", id="voiceapp.E023")
    if not 10 <= settings.IDLE_LINK_MAX_AGE_S <= 280:
        yield Error(
            "IDLE_LINK_MAX_AGE_S is not between 10 and 280.",
            hint="Idle links that are older leave a call less than the 55 minutes of a session that it counts on.",
            id="voiceapp.E028",
        )
    if settings.LOG_LEVEL not in {"debug", "info", "warn", "error"}:
        yield Warning(
            "LOG_LEVEL is not debug, info, warn or error; info is used.",
            hint="Set LOG_LEVEL to one of them.",
            id="voiceapp.W003",
        )
    yield from _openai()
    if settings.DEBUG and settings.IS_PUBLIC_HTTPS:
        yield Warning(
            "DEBUG is on at a public URL: error pages show source code to everyone.",
            hint="Remove DEBUG.",
            id="voiceapp.W004",
        )


def _openai() -> Iterator[CheckMessage]:
    """Defaults of calls, validated like the fields of an agent."""
    for name, validate in (
        ("OPENAI_REALTIME_MODEL", validate_model),
        ("OPENAI_TRANSCRIPTION_MODEL", validate_model),
        ("OPENAI_VOICE", validate_voice),
    ):
        try:
            validate(getattr(settings, name))
        except ValidationError as exc:
            yield Error(f"OpenAI would reject {name}.", hint=exc.messages[0], id="voiceapp.E027")


def internal_key() -> Iterator[CheckMessage]:
    if not settings.INTERNAL_API_KEY:
        yield Warning(
            "INTERNAL_API_KEY is not set: /api/realtime/* and /metrics respond 401 to everyone.",
            hint=f"Set INTERNAL_API_KEY to at least {MIN_KEY_LENGTH} random characters.",
            id="voiceapp.W001",
        )
    elif len(settings.INTERNAL_API_KEY) < MIN_KEY_LENGTH:
        yield Warning(
            f"INTERNAL_API_KEY is shorter than {MIN_KEY_LENGTH} characters.",
            hint=f"Set INTERNAL_API_KEY to at least {MIN_KEY_LENGTH} random characters.",
            id="voiceapp.W002",
        )


def redis() -> Iterator[CheckMessage]:
    named = [name for name in ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN") if getattr(settings, name)]
    if named and not settings.REDIS_URL:
        yield Warning(
            f"{' and '.join(named)} is not used, and REDIS_URL is not set: each process counts rate limits separately.",
            hint="Set REDIS_URL to the same database's TCP URL, like rediss://default:PASSWORD@HOST.upstash.io:6379.",
            id="voiceapp.W007",
        )
