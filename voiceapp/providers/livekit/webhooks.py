"""LiveKit's webhooks: verification and parsing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from google.protobuf import json_format
from livekit import api
from livekit.protocol.egress import EgressInfo
from livekit.protocol.webhook import WebhookEvent

from .values import (
    EPOCH,
    Participant,
    Room,
    RoomRecording,
    Track,
    enum_name,
    participant_of,
    recording_of,
    requested_path,
    room_of,
    track_of,
)

# Clock skew; the token is valid for five minutes.
LEEWAY = timedelta(seconds=60)
# LiveKit drops events that wait for 30 s and retries each for some minutes: older ones are replays.
MAX_AGE = timedelta(minutes=10)
MAX_TOKEN_LENGTH = 4096
# Egress events repeat the request that started it, with the credentials of its storage.
REQUESTS_OF_EGRESS = EgressInfo.DESCRIPTOR.oneofs_by_name["request"].fields
# Participants choose track names, and PostgreSQL cannot store NUL.
ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
UNREADABLE = (json_format.ParseError, ValueError, TypeError, OverflowError, RecursionError)


class SignatureRefused(Exception):
    """`reason`: no_token, malformed_token, wrong_key, expired, no_hash, tampered, stale, unreadable."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"livekit webhook refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LiveKitEvent:
    """`event` may be unknown to us. What an event does not have is None.

    `key` is the same when LiveKit sends the event again: its id, or a hash of its body if it has none.
    `record` is the event as JSON, to be stored: without the credentials of an egress' storage.
    """

    event: str
    key: str
    created_at: datetime | None
    room: Room | None
    room_end_reason: str
    participant: Participant | None
    track: Track | None
    recording: RoomRecording | None
    record: dict[str, object]

    @property
    def room_name(self) -> str:
        """The room's or the recording's; "" if the event has neither."""
        if self.room:
            return self.room.name
        return self.recording.room if self.recording else ""


def verify_webhook(body: bytes, authorization: str, *, api_key: str, api_secret: str) -> LiveKitEvent:
    """The event of a genuine webhook (protocols D3). `authorization` is the header as received, a bare token.

    Raises SignatureRefused and nothing else.
    """
    # A participant's token is signed by the same secret, but carries no hash.
    claimed = _claimed_hash(authorization, api_key=api_key, api_secret=api_secret)
    if not isinstance(claimed, str) or not claimed:
        raise SignatureRefused("no_hash")
    digest = hashlib.sha256(body).digest()
    try:
        is_same = hmac.compare_digest(base64.b64decode(claimed, validate=True), digest)
    except (binascii.Error, ValueError):
        is_same = False
    if not is_same:
        raise SignatureRefused("tampered")
    try:
        text = ESCAPED_NUL.sub(r"\1", body.decode())
        message = json_format.Parse(text, WebhookEvent(), ignore_unknown_fields=True)
        event = _event_of(message, body_sha256=digest.hex())
    except UNREADABLE as exc:
        raise SignatureRefused("unreadable") from exc
    if not event.event:
        raise SignatureRefused("unreadable")
    if event.created_at and abs(datetime.now(UTC) - event.created_at) > MAX_AGE:
        raise SignatureRefused("stale")
    return event


def event_of(record: Mapping[str, object], *, key: str) -> LiveKitEvent:
    """The event that was stored as `record` under `key`."""
    message = json_format.ParseDict(dict(record), WebhookEvent(), ignore_unknown_fields=True)
    return _event_of(message, body_sha256=key.removeprefix("sha256:"))


def _claimed_hash(token: str, *, api_key: str, api_secret: str) -> object:
    if not token:
        raise SignatureRefused("no_token")
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise SignatureRefused("malformed_token")
    try:
        return api.TokenVerifier(api_key, api_secret, leeway=LEEWAY).verify(token).sha256
    except (jwt.InvalidSignatureError, jwt.InvalidIssuerError) as exc:
        raise SignatureRefused("wrong_key") from exc
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as exc:
        raise SignatureRefused("expired") from exc
    except (jwt.PyJWTError, AttributeError, *UNREADABLE) as exc:
        # The others are for claims of a wrong type, which the verifier does not check.
        raise SignatureRefused("malformed_token") from exc


def _event_of(message: WebhookEvent, *, body_sha256: str) -> LiveKitEvent:
    _remove_credentials(message.egress_info)
    if not message.egress_info.egress_id:
        message.ClearField("egress_info")
    return LiveKitEvent(
        event=message.event,
        key=message.id or f"sha256:{body_sha256}",
        created_at=EPOCH + timedelta(seconds=message.created_at) if message.created_at else None,
        room=room_of(message.room) if message.HasField("room") else None,
        room_end_reason=_end_reason(message),
        participant=participant_of(message.participant) if message.HasField("participant") else None,
        track=track_of(message.track) if message.HasField("track") else None,
        recording=recording_of(message.egress_info) if message.HasField("egress_info") else None,
        record=json.loads(json_format.MessageToJson(message, indent=None)),
    )


def _remove_credentials(egress: EgressInfo) -> None:
    """Keep only the file name of the request."""
    path = requested_path(egress)
    for request in REQUESTS_OF_EGRESS:
        egress.ClearField(request.name)
    if path:
        egress.room_composite.file_outputs.add(filepath=path)


def _end_reason(message: WebhookEvent) -> str:
    """`api_delete`, `idle_timeout`, …; "" if there is none."""
    reason = enum_name(message, "room_end_reason").removeprefix("room_end_")
    return "" if reason == "unknown" else reason
