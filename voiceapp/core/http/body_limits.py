"""The largest request body of each route, enforced before anything else runs (docs/reference/limits.md)."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

JSON_BYTES = 256 * KIB
FORM_BYTES = MIB
# A room's metadata may be 64 KiB, and so may that of each participant.
LIVEKIT_EVENT_BYTES = 512 * KIB
# Each of VAPI's messages repeats the assistant with its prompt, and the conversation so far in two forms.
VAPI_MESSAGE_BYTES = 2 * MIB

# By path prefix; the longest match counts.
MAX_BODY_BYTES: dict[str, int] = {
    "/api/": JSON_BYTES,
    "/api/voice/webhook": LIVEKIT_EVENT_BYTES,
    "/voice-session": JSON_BYTES,
    "/realtime_session": JSON_BYTES,
    "/twiml/": 64 * KIB,
    "/twilio/": 64 * KIB,
    "/vapi/": VAPI_MESSAGE_BYTES,
    "/call/": 64 * KIB,
    "/admin/": FORM_BYTES,
    "/admin/login/": 16 * KIB,
    # Above the limit of a menu's file, so that one that is too large gets a sentence on the page.
    "/admin/agents/menu/import/": 12 * MIB,
}
# Routes without a body, and unknown paths.
DEFAULT_BYTES = 16 * KIB


def max_body_bytes(path: str) -> int:
    """The limit for requests to this path."""
    prefixes = [start for start in MAX_BODY_BYTES if path.startswith(start)]
    return MAX_BODY_BYTES[max(prefixes, key=len)] if prefixes else DEFAULT_BYTES
