"""System checks of sessions for browsers: a life that OpenAI refuses, and a developer's freedom in public."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from voiceapp.providers.openai.fields import SECRET_LIFE_S


@register()
def check_secret_life(**_: object) -> list[CheckMessage]:
    shortest, longest = SECRET_LIFE_S
    if shortest <= settings.REALTIME_SECRET_LIFE_S <= longest:
        return []
    return [
        Error(
            "REALTIME_SECRET_LIFE_S is a life that OpenAI refuses: no session for a browser can be opened.",
            hint=f"Set it to {shortest} to {longest} seconds, or remove it.",
            id="realtime_session.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_no_stubs(**_: object) -> list[CheckMessage]:
    if settings.ENVIRONMENT != "dev":
        return []
    return [
        Error(
            "ENVIRONMENT is dev: clients that may open a browser session can make this server connect to itself.",
            hint="Set ENVIRONMENT to prod or staging, or remove it.",
            id="realtime_session.E002",
        )
    ]
