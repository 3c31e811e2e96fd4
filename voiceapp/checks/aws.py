"""AWS: the queue of voice sessions, recordings, secrets. Google: recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from recordings.backends import AT_GOOGLE

from .addresses import is_base_url


def aws() -> Iterator[CheckMessage]:
    yield from announcements()
    if bool(settings.AWS_ACCESS_KEY_ID) != bool(settings.AWS_SECRET_ACCESS_KEY):
        yield Error(
            "Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: no request to AWS succeeds.",
            hint="Set both, or neither if the machine has a role.",
            id="voiceapp.E021",
        )
    for name in ("VOICE_SESSION_QUEUE_URL", "AWS_ENDPOINT_URL", "GCS_ENDPOINT_URL"):
        if getattr(settings, name) and not is_base_url(getattr(settings, name)):
            yield Error(
                f"{name} is not a URL.",
                hint="Copy the whole URL, like https://sqs.us-east-1.amazonaws.com/123456789012/voice-sessions.",
                id="voiceapp.E022",
            )
    yield from credentials_of_google()
    if settings.LIVEKIT_RECORDING_BUCKET.startswith(AT_GOOGLE):
        yield from bucket_at_google()
    elif settings.LIVEKIT_RECORDING_BUCKET and not settings.LIVEKIT_RECORDING_REGION:
        yield Warning(
            f"LIVEKIT_RECORDING_REGION is not set: {settings.AWS_REGION} is used as the bucket's region.",
            hint="Set LIVEKIT_RECORDING_REGION to the region of LIVEKIT_RECORDING_BUCKET.",
            id="voiceapp.W009",
        )


def bucket_at_google() -> Iterator[CheckMessage]:
    if not (settings.GCS_HMAC_KEY_ID and settings.GCS_HMAC_SECRET):
        yield Error(
            f"{settings.LIVEKIT_RECORDING_BUCKET} is at Google, and GCS_HMAC_KEY_ID or GCS_HMAC_SECRET is not set.",
            hint="Create an HMAC key for a service account: Cloud Storage, Settings, Interoperability.",
            id="voiceapp.E024",
        )


def credentials_of_google() -> Iterator[CheckMessage]:
    if settings.GCS_CREDENTIALS and not _is_key_of_account(settings.GCS_CREDENTIALS):
        yield Error(
            "GCS_CREDENTIALS is not the JSON of a service account's key: LiveKit's egress could store nothing.",
            hint="Put the whole file into one line, or leave it empty if egress has an account of its own.",
            id="voiceapp.E025",
        )


def _is_key_of_account(credentials: str) -> bool:
    try:
        key = json.loads(credentials)
    except ValueError:
        return False
    return isinstance(key, dict) and key.get("type") == "service_account" and "private_key" in key


def announcements() -> Iterator[CheckMessage]:
    if not settings.VOICE_SESSION_QUEUE_URL:
        yield Warning(
            "VOICE_SESSION_QUEUE_URL is not set: announcements of voice sessions wait in the outbox.",
            hint="Set VOICE_SESSION_QUEUE_URL to the URL of an SQS queue.",
            id="voiceapp.W006",
        )
