"""The JSON messages of Media Streams: writing those that Twilio sends, reading those that it receives."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


class Outgoing:
    """Messages of one stream, numbered across their kinds from 1."""

    def __init__(self, stream_sid: str, *, call_sid: str, account_sid: str) -> None:
        self._stream_sid = stream_sid
        self._call_sid = call_sid
        self._account_sid = account_sid
        self._sequence = 0
        self._chunk = 0

    def start(self, parameters: Mapping[str, str]) -> str:
        start = {
            "accountSid": self._account_sid,
            "streamSid": self._stream_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._message("start", start)

    def media(self, audio: bytes, timestamp_ms: int) -> str:
        # The hot path, 50 times a second for each call: no dict is built.
        self._sequence += 1
        self._chunk += 1
        payload = binascii.b2a_base64(audio, newline=False).decode("ascii")
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self._stream_sid}"}}'
        )

    def media_without_timestamp(self, audio: bytes) -> str:
        self._chunk += 1
        return self._message("media", {"track": "inbound", "payload": base64.b64encode(audio).decode()})

    def skip_media(self) -> None:
        """A frame that was dropped before it was sent leaves a gap in the numbers."""
        self._sequence += 1
        self._chunk += 1

    def mark(self, name: str) -> str:
        return self._message("mark", {"name": name})

    def dtmf(self, digit: str) -> str:
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def stop(self) -> str:
        return self._message("stop", {"accountSid": self._account_sid, "callSid": self._call_sid})

    def _message(self, event: str, content: Mapping[str, object]) -> str:
        self._sequence += 1
        return json.dumps(
            {"event": event, "sequenceNumber": str(self._sequence), event: content, "streamSid": self._stream_sid},
            separators=(",", ":"),
        )


@dataclass(frozen=True, slots=True)
class Audio:
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


@dataclass(frozen=True, slots=True)
class Invalid:
    """Twilio warns with this code and continues."""

    code: int
    reason: str


def read(text: str, *, stream_sid: str) -> Audio | Mark | Clear | Invalid:
    """Read a message of the application; all but the three documented ones are invalid."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Invalid(31950, "malformed message: not JSON")
    if not isinstance(message, dict):
        return Invalid(31950, "malformed message: not an object")
    event = message.get("event")
    if event not in ("media", "mark", "clear"):
        return Invalid(31951, f"invalid message: event {event!r}")
    if message.get("streamSid") != stream_sid:
        return Invalid(31951, "invalid message: wrong streamSid")
    if event == "clear":
        return Clear()
    return _audio(message.get("media")) if event == "media" else _mark(message.get("mark"))


def _audio(media: Any) -> Audio | Invalid:
    payload = media.get("payload") if isinstance(media, dict) else None
    if not isinstance(payload, str):
        return Invalid(31951, "invalid message: media without payload")
    try:
        return Audio(base64.b64decode(payload, validate=True))
    except (ValueError, binascii.Error):
        return Invalid(31951, "invalid message: the payload is not base64")


def _mark(mark: Any) -> Mark | Invalid:
    name = mark.get("name") if isinstance(mark, dict) else None
    if not isinstance(name, str) or not name:
        return Invalid(31951, "invalid message: mark without name")
    return Mark(name)
