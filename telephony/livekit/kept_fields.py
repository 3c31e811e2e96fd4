"""What is stored of LiveKit's events: an allow-list per event. A field that LiveKit adds tomorrow is not stored.

LiveKit sends more than anybody here needs: `room.turnPassword` is a secret, metadata and attributes may hold a caller's
number, and an egress repeats the storage's credentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Names to store. A mapping goes one level down, into an object or into each object of a list.
Allowed = Mapping[str, "Allowed | None"]


def _names(names: str, **below: Allowed) -> Allowed:
    return dict.fromkeys(names.split()) | below


HEAD = _names("event id createdAt")
ROOM = _names("sid name creationTime creationTimeMs")
PERSON = _names("sid identity name kind state joinedAt joinedAtMs disconnectReason")
TRACK = _names("sid type source name muted")
EGRESS = _names(
    "egressId roomId roomName status startedAt updatedAt endedAt error errorCode",
    fileResults=_names("filename location size duration"),
    # The name that the file was to have, and nothing else of the request.
    roomComposite={"fileOutputs": _names("filepath")},
)

OF_ROOM: Allowed = {**HEAD, "room": ROOM, "roomEndReason": None}
OF_PERSON: Allowed = {**HEAD, "room": ROOM, "participant": PERSON}
OF_TRACK: Allowed = {**OF_PERSON, "track": TRACK}
OF_EGRESS: Allowed = {**HEAD, "room": ROOM, "participant": _names("sid identity"), "egressInfo": EGRESS}
OF_OTHERS: Allowed = {**HEAD, "room": _names("sid name")}

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
    return _kept(record, ALLOWED.get(str(record.get("event")), OF_OTHERS))


def _kept(record: Mapping[str, object], allowed: Allowed) -> dict[str, object]:
    return {name: _below(value, allowed[name]) for name, value in record.items() if _is_kept(value, name, allowed)}


def _is_kept(value: object, name: str, allowed: Allowed) -> bool:
    """A plain value where a name stands alone, objects where names stand below it."""
    is_plain = not isinstance(value, Mapping | list | tuple)
    return name in allowed and is_plain is (allowed[name] is None)


def _below(value: Any, allowed: Allowed | None) -> object:
    if allowed is None:
        return value
    if isinstance(value, Sequence):
        return [_kept(each, allowed) for each in value if isinstance(each, Mapping)]
    return _kept(value, allowed)
