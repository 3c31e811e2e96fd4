"""Where voicemail is stored, and who sends e-mails."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def files() -> Iterator[CheckMessage]:
    is_default = str(settings.VAR_DIR / "recordings") == settings.RECORDINGS_DIR
    if settings.REDIS_URL and is_default and not settings.LIVEKIT_RECORDING_BUCKET:
        yield Warning(
            f"Voicemail is stored in {settings.RECORDINGS_DIR}: on other machines it cannot be listened to.",
            hint="Set LIVEKIT_RECORDING_BUCKET, or RECORDINGS_DIR to a folder that all web and worker processes share.",
            id="voiceapp.W022",
        )
    if "@" not in parseaddr(settings.DEFAULT_FROM_EMAIL)[1]:
        yield Error(
            "DEFAULT_FROM_EMAIL is not an e-mail address: mail servers refuse it.",
            hint="Set it to an address of your domain, like Voicemail <voicemail@example.com>.",
            id="voiceapp.E043",
        )
