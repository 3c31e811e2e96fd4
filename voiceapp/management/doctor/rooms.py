"""Checks of LiveKit, of the worker of its agents, and of the bucket of its recordings."""

from __future__ import annotations

from django.conf import settings

from recordings.backends import AT_GOOGLE
from recordings.files import find_bucket
from sessions.rooms.models import RoomAgent
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind

from .finding import Finding, failed, passed, skipped

REGION = ", LIVEKIT_RECORDING_REGION"
NAMES = "LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"


def check_livekit() -> Finding:
    """Looks up a room that does not exist, with the configured key."""
    given = (settings.LIVEKIT_HOST, settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
    if not any(given):
        return skipped("livekit", f"{NAMES} are not set: no calls in rooms")
    where = settings.LIVEKIT_INTERNAL_URL
    try:
        LiveKitClient.from_settings().find_room("doctor")
    except LiveKitError as exc:
        if exc.kind is LiveKitErrorKind.NOT_CONFIGURED:
            return failed("livekit", "its settings are incomplete", f"Set {NAMES}.")
        if exc.kind is LiveKitErrorKind.CREDENTIALS_REFUSED:
            fix = "Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and this machine's clock."
            return failed("livekit", f"{where} rejects the key", fix)
        fix = "Check LIVEKIT_HOST, LIVEKIT_INTERNAL_URL and the network."
        return failed("livekit", f"{where} does not respond as LiveKit ({exc.kind})", fix)
    return passed(
        "livekit", f"{where} accepts the key; its webhook must be {settings.PUBLIC_BASE_URL}/api/voice/webhook"
    )


def check_room_agents() -> Finding:
    """Whether a worker came for the agent that was requested last: LiveKit does not say which workers it has."""
    if not settings.LIVEKIT_HOST:
        return skipped("room agents", "LIVEKIT_HOST is not set: no calls in rooms")
    last = RoomAgent.objects.exclude(status=RoomAgent.Status.PENDING).order_by("-id").first()
    if last is None:
        return skipped("room agents", "none was requested yet; their worker is manage.py run_agent (make setup-agent)")
    if last.never_joined:
        fix = f"Start a worker with ENVIRONMENT={settings.ENVIRONMENT}: make setup-agent, then manage.py run_agent."
        return failed("room agents", f"no worker came for the one requested at {last.created_at:%Y-%m-%d %H:%M}", fix)
    return passed("room agents", f"a worker came for the one requested at {last.created_at:%Y-%m-%d %H:%M}")


def check_recordings() -> Finding:
    """Whether the bucket exists for our keys and LiveKit has a recorder."""
    bucket = settings.LIVEKIT_RECORDING_BUCKET
    if not bucket:
        missing = "LIVEKIT_RECORDING_BUCKET is not set: LiveKit's egress records nothing"
        return skipped("recordings", f"{missing}; all other audio is in {settings.RECORDINGS_DIR}")
    try:
        find_bucket(bucket)
    except ProviderError as exc:
        keys, region = ("Google's HMAC key", "") if bucket.startswith(AT_GOOGLE) else ("AWS's keys", REGION)
        return failed("recordings", f"bucket {bucket}: {exc}", f"Check LIVEKIT_RECORDING_BUCKET{region}, and {keys}.")
    if _has_no_recorder():
        fix = "Run it with Redis and LiveKit's egress service, or unset LIVEKIT_RECORDING_BUCKET."
        return failed("recordings", f"bucket {bucket} exists, but this LiveKit does not record: it has no egress", fix)
    return passed("recordings", f"bucket {bucket} exists")


def _has_no_recorder() -> bool:
    """False also if LiveKit does not respond: its own check reports that."""
    try:
        LiveKitClient.from_settings().list_recordings(is_active=True)
    except LiveKitError as exc:
        return exc.kind is LiveKitErrorKind.NO_RECORDER
    return False
