"""The largest request body of each route: one table, kept at the edge before anything else runs (docs/limits.md)."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

JSON_BYTES = 256 * KIB
FORM_BYTES = MIB
# A room's metadata may be 64 KiB, and so may that of each participant.
LIVEKIT_EVENT_BYTES = 512 * KIB

# By the beginning of the path; the longest that fits counts.
LARGEST_BODIES: dict[str, int] = {
    "/api/": JSON_BYTES,
    "/api/voice/webhook": LIVEKIT_EVENT_BYTES,
    "/voice-session": JSON_BYTES,
    "/realtime_session": JSON_BYTES,
    "/twiml/": 64 * KIB,
    "/twilio/": 64 * KIB,
    "/admin/": FORM_BYTES,
    "/admin/login/": 16 * KIB,
}
# Routes that take no body, and addresses where nothing is.
ELSEWHERE_BYTES = 16 * KIB


def largest_body(path: str) -> int:
    """How many bytes a request to this path may bring."""
    fitting = [start for start in LARGEST_BODIES if path.startswith(start)]
    return LARGEST_BODIES[max(fitting, key=len)] if fitting else ELSEWHERE_BYTES
