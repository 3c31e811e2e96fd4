"""Clerk, for sign-in."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from voiceapp.providers.clerk.keys import GivenKey
from voiceapp.providers.errors import ProviderError

from .addresses import is_origin, is_private


def clerk() -> Iterator[CheckMessage]:
    if settings.CLERK_ISSUER and not is_private(settings.CLERK_ISSUER):
        yield Error(
            "CLERK_ISSUER is not an https URL: its keys could be replaced on their way.",
            hint="Set it to the URL of your Clerk frontend API, like https://clerk.example.com.",
            id="voiceapp.E015",
        )
    if settings.CLERK_JWT_KEY.strip():
        try:
            GivenKey(settings.CLERK_JWT_KEY)
        except ProviderError as exc:
            yield Error(
                f"{exc}: everyone who signs in with Clerk gets 503.",
                hint="Copy the PEM public key of Clerk's dashboard, its lines joined by \\n, or remove CLERK_JWT_KEY.",
                id="voiceapp.E016",
            )
        if not settings.CLERK_ISSUER:
            yield Warning(
                "CLERK_JWT_KEY is set, but CLERK_ISSUER is not: Clerk's tokens are not accepted.",
                hint="Set CLERK_ISSUER to the URL of your Clerk frontend API.",
                id="voiceapp.W005",
            )
    wrong = [origin for origin in settings.CLERK_AUTHORIZED_PARTIES if not is_origin(origin)]
    if wrong and settings.CLERK_ISSUER:
        yield Error(
            f"CLERK_AUTHORIZED_PARTIES has an entry that is not an origin: {wrong[0]}",
            hint="Write scheme, host and optionally port: https://app.example.com.",
            id="voiceapp.E017",
        )
