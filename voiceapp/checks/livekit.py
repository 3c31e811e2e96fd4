"""LiveKit, for calls in rooms."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

MIN_SECRET_LENGTH = 32


def livekit() -> Iterator[CheckMessage]:
    names = ("LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    if 0 < len(missing) < len(names):
        yield Error(
            f"{' and '.join(missing)} is not set, but other LiveKit settings are: calls in rooms get 503.",
            hint=f"Set {', '.join(names)}, or none of them.",
            id="voiceapp.E018",
        )
    if settings.LIVEKIT_API_SECRET and len(settings.LIVEKIT_API_SECRET) < MIN_SECRET_LENGTH:
        yield Warning(
            f"LIVEKIT_API_SECRET is shorter than {MIN_SECRET_LENGTH} characters: tokens signed with it can be guessed.",
            hint="Configure a longer one in the LiveKit server: `livekit-server generate-keys`.",
            id="voiceapp.W008",
        )
    for name in ("LIVEKIT_HOST", "LIVEKIT_INTERNAL_URL"):
        if getattr(settings, name) and not _is_server(getattr(settings, name)):
            yield Error(
                f"{name} is not the URL of a LiveKit server.",
                hint="Write scheme, host and optionally port: wss://your-project.livekit.cloud.",
                id="voiceapp.E019",
            )


def production() -> Iterator[CheckMessage]:
    if settings.LIVEKIT_HOST.startswith(("ws:", "http:")):
        yield Error(
            "LIVEKIT_HOST is not a wss URL: browsers on https pages cannot connect to it.",
            hint="Use TLS for the LiveKit server and write wss://.",
            id="voiceapp.E020",
        )


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"ws", "wss", "http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
