"""LiveKit's limits of names and metadata."""

from __future__ import annotations

from livekit.protocol.room import CreateRoomRequest

from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError

MAX_NAME_BYTES = 256
MAX_METADATA_BYTES = 64_000


def check_room(request: CreateRoomRequest) -> None:
    if len(request.name.encode()) > MAX_NAME_BYTES:
        raise TwirpError("invalid_argument", f"room name length exceeds limits: max length {MAX_NAME_BYTES}")
    if len(request.metadata.encode()) > MAX_METADATA_BYTES:
        raise TwirpError("invalid_argument", "metadata size exceeds limits")


def check_room_claims(claims: TokenClaims) -> None:
    """The names of the room and of the participant. Raises TwirpError."""
    if len(claims.identity.encode()) > MAX_NAME_BYTES:
        raise TwirpError("invalid_argument", f"participant identity length exceeds limits: max length {MAX_NAME_BYTES}")
    if len(claims.room.encode()) > MAX_NAME_BYTES:
        raise TwirpError("invalid_argument", f"room name length exceeds limits: max length {MAX_NAME_BYTES}")


def check_participant(claims: TokenClaims) -> None:
    if not claims.identity:
        raise TwirpError("invalid_argument", "identity cannot be empty")
    check_room_claims(claims)
    if len(claims.name.encode()) > MAX_NAME_BYTES:
        raise TwirpError("invalid_argument", f"participant name length exceeds limits: max length {MAX_NAME_BYTES}")
    if len(claims.metadata.encode()) > MAX_METADATA_BYTES:
        raise TwirpError("invalid_argument", f"metadata size exceeds limits: max size {MAX_METADATA_BYTES}")
    if sum(len(name.encode()) + len(value.encode()) for name, value in claims.attributes.items()) > MAX_METADATA_BYTES:
        raise TwirpError("invalid_argument", f"attributes size exceeds limits: max size {MAX_METADATA_BYTES}")
