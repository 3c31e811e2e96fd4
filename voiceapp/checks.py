"""System checks: what production must not lack, each with an id and a fix."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_secrets(**_: object) -> list[CheckMessage]:
    """Errors for what makes a production server unsafe or deaf."""
    found: list[CheckMessage] = []
    if settings.SECRET_KEY.startswith("insecure-"):
        found.append(
            Error("SECRET_KEY is not set.", hint="Set SECRET_KEY to 50 random characters.", id="voiceapp.E001")
        )
    if not settings.TWILIO_AUTH_TOKEN:
        found.append(
            Error(
                "TWILIO_AUTH_TOKEN is not set: every Twilio door answers 403.",
                hint="Set it to the auth token of your Twilio account.",
                id="voiceapp.E002",
            )
        )
    if not settings.PUBLIC_BASE_URL.startswith("https://"):
        found.append(
            Error(
                "PUBLIC_BASE_URL is not an https address: Twilio connects to wss only.",
                hint="Set PUBLIC_BASE_URL to the address that Twilio reaches, like https://voice.example.com.",
                id="voiceapp.E003",
            )
        )
    if not settings.OPENAI_API_KEY:
        found.append(
            Error(
                "OPENAI_API_KEY is not set: no agent can answer.",
                hint="Set it to a key with Realtime access.",
                id="voiceapp.E004",
            )
        )
    return found


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """Warnings that help on a laptop too."""
    found: list[CheckMessage] = []
    if not settings.INTERNAL_API_KEY:
        found.append(
            Warning(
                "INTERNAL_API_KEY is not set: /api/realtime/* answers 401 to everyone.",
                hint="Set INTERNAL_API_KEY to at least 32 random characters.",
                id="voiceapp.W001",
            )
        )
    elif len(settings.INTERNAL_API_KEY) < 32:
        found.append(
            Warning(
                "INTERNAL_API_KEY is shorter than 32 characters.",
                hint="Set INTERNAL_API_KEY to at least 32 random characters.",
                id="voiceapp.W002",
            )
        )
    if settings.LOG_LEVEL not in {"debug", "info", "warn", "error"}:
        found.append(
            Warning(
                "LOG_LEVEL is none of debug, info, warn, error; info is used.",
                hint="Set LOG_LEVEL to one of them.",
                id="voiceapp.W003",
            )
        )
    return found
