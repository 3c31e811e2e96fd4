"""What is stored of LiveKit's events: an allow-list per event. A field that LiveKit adds tomorrow is not stored.

LiveKit sends more than anybody here needs: `room.turnPassword` is a secret, metadata and attributes may hold a caller's
number, and an egress repeats the storage's credentials.
"""

from __future__ import annotations

from collections.abc import Mapping

from telephony.events.allow_list import Allowed, kept, names

HEAD = names("event id createdAt")
ROOM = names("sid name creationTime creationTimeMs")
PERSON = names("sid identity name kind state joinedAt joinedAtMs disconnectReason")
TRACK = names("sid type source name muted")
EGRESS = names(
    "egressId roomId roomName status startedAt updatedAt endedAt error errorCode",
    fileResults=names("filename location size duration"),
    # The name that the file was to have, and nothing else of the request.
    roomComposite={"fileOutputs": names("filepath")},
)

OF_ROOM: Allowed = {**HEAD, "room": ROOM, "roomEndReason": None}
OF_PERSON: Allowed = {**HEAD, "room": ROOM, "participant": PERSON}
OF_TRACK: Allowed = {**OF_PERSON, "track": TRACK}
OF_EGRESS: Allowed = {**HEAD, "room": ROOM, "participant": names("sid identity"), "egressInfo": EGRESS}
OF_OTHERS: Allowed = {**HEAD, "room": names("sid name")}

ALLOWED: Mapping[str, Allowed] = {
    "room_started": OF_ROOM,
    "room_finished": OF_ROOM,
    "participant_joined": OF_PERSON,
    "participant_left": OF_PERSON,
    "participant_connection_aborted": OF_PERSON,
    "track_published": OF_TRACK,
    "track_unpublished": OF_TRACK,
    "egress_started": OF_EGRESS,
    "egress_updated": OF_EGRESS,
    "egress_ended": OF_EGRESS,
}


def kept_fields(record: Mapping[str, object]) -> dict[str, object]:
    """Of one of LiveKit's events, as JSON, what is processed or read by an operator. Of an unknown event its room."""
    return kept(record, ALLOWED.get(str(record.get("event")), OF_OTHERS))
