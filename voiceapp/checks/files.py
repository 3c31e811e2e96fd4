"""Where recordings and voicemail are stored, and who sends e-mails."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning


def files() -> Iterator[CheckMessage]:
    is_default = str(settings.VAR_DIR / "recordings") == settings.RECORDINGS_DIR
    if settings.REDIS_URL and is_default:
        what = "Phone calls are recorded into" if settings.LIVEKIT_RECORDING_BUCKET else "Voicemail is stored in"
        yield Warning(
            f"{what} {settings.RECORDINGS_DIR}: workers and web processes on other machines do not find it there.",
            hint="Set RECORDINGS_DIR to a folder that all web and worker processes share, also beside a bucket.",
            id="voiceapp.W022",
        )
    if "@" not in parseaddr(settings.DEFAULT_FROM_EMAIL)[1]:
        yield Error(
            "DEFAULT_FROM_EMAIL is not an e-mail address: mail servers refuse it.",
            hint="Set it to an address of your domain, like Voicemail <voicemail@example.com>.",
            id="voiceapp.E043",
        )
