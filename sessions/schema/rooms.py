"""What the documentation of every endpoint about a room shares."""

from __future__ import annotations

from voiceapp.core.api.errors import Refusal
from voiceapp.core.api.schema import refused
from voiceapp.core.api.schema.refusals import wrong_fields

CALL_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"
ROOM = "support-user123-1640995200"
HOST = "wss://your-livekit-server.livekit.cloud"
TOKEN = "eyJhbGc..."  # noqa: S105 - the specs' example
SOMEBODY_ELSES = "This call belongs to somebody else in your organization."
ROOM_MISSING = wrong_fields("Missing roomName", roomName="This field is required.")
SESSION_NOT_FOUND = refused(404, "Session not found", "There is no call in a room of this name.")
ACCESS_DENIED = refused(403, "Access denied to this session", SOMEBODY_ELSES)
VOICE_NOT_CONFIGURED = refused(
    503, "Voice service not configured", "LIVEKIT_HOST, LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing."
)
VOICE_AWAY = refused(503, "Voice service unavailable", "LiveKit cannot be reached right now. Try again soon.")


def livekit_refusals(title: str) -> tuple[Refusal, ...]:
    """What LiveKit may keep us from; `title` is what could not be done."""
    return (
        refused(400, "Bad Request", "LiveKit cannot take a value of this request."),
        refused(500, title, "LiveKit refused. The reason is in the server's log."),
        VOICE_NOT_CONFIGURED,
        VOICE_AWAY,
    )
