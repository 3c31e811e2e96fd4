"""AWS: the queue of voice sessions, recordings, secrets."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from .addresses import is_base_url


def aws() -> Iterator[CheckMessage]:
    yield from announcements()
    if bool(settings.AWS_ACCESS_KEY_ID) != bool(settings.AWS_SECRET_ACCESS_KEY):
        yield Error(
            "Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: no request to AWS succeeds.",
            hint="Set both, or neither if the machine has a role.",
            id="voiceapp.E021",
        )
    for name in ("VOICE_SESSION_QUEUE_URL", "AWS_ENDPOINT_URL"):
        if getattr(settings, name) and not is_base_url(getattr(settings, name)):
            yield Error(
                f"{name} is not a URL.",
                hint="Copy the whole URL, like https://sqs.us-east-1.amazonaws.com/123456789012/voice-sessions.",
                id="voiceapp.E022",
            )
    if settings.LIVEKIT_RECORDING_BUCKET and not settings.LIVEKIT_RECORDING_REGION:
        yield Warning(
            f"LIVEKIT_RECORDING_REGION is not set: {settings.AWS_REGION} is used as the bucket's region.",
            hint="Set LIVEKIT_RECORDING_REGION to the region of LIVEKIT_RECORDING_BUCKET.",
            id="voiceapp.W009",
        )


def announcements() -> Iterator[CheckMessage]:
    if not settings.VOICE_SESSION_QUEUE_URL:
        yield Warning(
            "VOICE_SESSION_QUEUE_URL is not set: announcements of voice sessions wait in the outbox.",
            hint="Set VOICE_SESSION_QUEUE_URL to the URL of an SQS queue.",
            id="voiceapp.W006",
        )
