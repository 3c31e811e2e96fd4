"""Checks of LiveKit, and of the bucket that its recordings go to."""

from __future__ import annotations

from django.conf import settings

from voiceapp.providers.aws.client import FAULTS, aws_client, aws_error
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .finding import Finding, ill, skipped, well

NAMES = "LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"


def check_livekit() -> Finding:
    """Whether the key opens the project: one room is looked for, that nobody made."""
    given = (settings.LIVEKIT_HOST, settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
    if not any(given):
        return skipped("livekit", f"{NAMES} are not set: no calls in rooms")
    where = settings.LIVEKIT_INTERNAL_URL
    try:
        LiveKitClient.from_settings().find_room("doctor")
    except LiveKitError as exc:
        if exc.kind is LiveKitErrorKind.NOT_CONFIGURED:
            return ill("livekit", "only a part of its settings is there", f"Set {NAMES}.")
        if exc.kind is LiveKitErrorKind.CREDENTIALS_REFUSED:
            fix = "Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and this machine's clock."
            return ill("livekit", f"{where} refuses the key", fix)
        fix = "Check LIVEKIT_HOST, LIVEKIT_INTERNAL_URL and the network."
        return ill("livekit", f"{where} does not answer as LiveKit ({exc.kind})", fix)
    return well("livekit", f"{where} accepts the key; its webhook must be {settings.PUBLIC_BASE_URL}/api/voice/webhook")


def check_recordings() -> Finding:
    """Whether links to what is recorded can be made: the bucket is there, for our keys; and LiveKit has a recorder."""
    bucket = settings.LIVEKIT_RECORDING_BUCKET
    if not bucket:
        return skipped("recordings", "LIVEKIT_RECORDING_BUCKET is not set: nothing is recorded")
    try:
        aws_client("s3").head_bucket(Bucket=bucket)
    except FAULTS as exc:
        fix = "Check LIVEKIT_RECORDING_BUCKET, LIVEKIT_RECORDING_REGION, and that AWS's keys may list it."
        return ill("recordings", f"bucket {bucket}: {aws_error('s3', exc)}", fix)
    if _has_no_recorder():
        fix = "Run it with Redis and LiveKit's egress service, or unset LIVEKIT_RECORDING_BUCKET."
        return ill("recordings", f"bucket {bucket} is there, but this LiveKit does not record: it has no egress", fix)
    return well("recordings", f"bucket {bucket} is there")


def _has_no_recorder() -> bool:
    """False also where LiveKit does not say: its own check reports that."""
    try:
        LiveKitClient.from_settings().list_recordings(is_active=True)
    except LiveKitError as exc:
        return exc.kind is LiveKitErrorKind.NO_RECORDER
    return False
