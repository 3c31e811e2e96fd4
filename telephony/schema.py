"""`POST /api/voice/webhook` in the API's documentation."""

from __future__ import annotations

from sessions.schema.rooms import ROOM
from telephony.livekit.webhooks import CONTENT_TYPES, LONGEST_BODY
from voiceapp.core.api.errors import ErrorShape
from voiceapp.core.api.schema import Area, Operation, describe_plain, refused
from voiceapp.core.api.schema.operations import PlainOperation
from voiceapp.core.api.schema.refusals import BROKEN, UNAUTHORIZED

WEBHOOKS = Area("Webhooks", "Where LiveKit reports what happens in its rooms.", place=80)
EVENTS = (
    "room_started room_finished participant_joined participant_left track_published track_unpublished egress_started "
    "egress_ended"
)
EVENT = {
    "event": "participant_joined",
    "room": {"name": ROOM, "creationTime": 1640995200},
    "participant": {"identity": "user123", "name": "John Doe"},
}
SCHEMA = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "description": f"One of `{'`, `'.join(EVENTS.split())}`, or another."},
        "id": {"type": "string", "description": "The same when it is sent again."},
        "createdAt": {"type": ["string", "integer"], "description": "In epoch seconds."},
        "room": {"type": "object", "additionalProperties": True},
        "participant": {"type": "object", "additionalProperties": True},
        "track": {"type": "object", "additionalProperties": True},
        "egressInfo": {"type": "object", "additionalProperties": True},
    },
    "required": ["event"],
}
SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "LiveKit's token, signed with your API secret over the body's hash.",
}

describe_plain(
    PlainOperation(
        Operation(
            "receiveLiveKitEvent",
            WEBHOOKS,
            "Receive an event of LiveKit's",
            "For LiveKit's server: set this address as its webhook. Events are kept once, whatever their order"
            " and however often they come; unknown rooms and events are answered 200 as well.",
            answered={"received": {"received": True, "event": "participant_joined"}},
            refusals=(
                refused(400, "Bad Request", "The body did not arrive."),
                UNAUTHORIZED,
                refused(413, "Request Entity Too Large", f"At most {LONGEST_BODY} bytes."),
                refused(415, "Unsupported Media Type", f"Send {CONTENT_TYPES[0]}."),
                BROKEN,
                refused(503, "Voice service not configured", "livekit: LIVEKIT_API_KEY is missing."),
                refused(503, "Service Unavailable", "The event was not kept. Send it again."),
            ),
        ),
        path="/api/voice/webhook",
        method="POST",
        shape=ErrorShape.VOICE,
        security={"livekitSignature": SIGNATURE},
        accepts={media: {"schema": SCHEMA, "examples": {"joined": {"value": EVENT}}} for media in CONTENT_TYPES},
        answer={
            "type": "object",
            "properties": {"received": {"type": "boolean"}, "event": {"type": "string"}},
            "required": ["received", "event"],
        },
    )
)
