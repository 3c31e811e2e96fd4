"""Twilio Media Streams on the wire: text frames to values, and the three frames we may send.

One typed decode reads a frame whatever the order of its keys, its spaces and escapes; measured, it costs less than
finding and slicing the payload, and it refuses NaN, wrong types and deep nesting by itself.
"""

from __future__ import annotations

import json

import msgspec

from telephony.bridge.core.ports import NOT_JSON

DIGITS = frozenset("0123456789*#ABCD")


class Media(msgspec.Struct, gc=False):
    payload: str
    timestamp: str | int | None = None


class Mark(msgspec.Struct, gc=False):
    name: str


class Dtmf(msgspec.Struct, gc=False):
    digit: str


class TwilioFrame(msgspec.Struct, gc=False):
    """A frame from Twilio: `event` says which of the others matters."""

    event: str
    media: Media | None = None
    mark: Mark | None = None
    dtmf: Dtmf | None = None


_decoder = msgspec.json.Decoder(TwilioFrame)


def parse(text: str) -> TwilioFrame | None:
    """One frame, or None when it is not a frame of Twilio's."""
    try:
        return _decoder.decode(text)
    except NOT_JSON:
        return None


def timestamp_ms(media: Media) -> int | None:
    """Presentation time in the stream, or None when it is absent or nonsense."""
    stamp = media.timestamp
    if isinstance(stamp, str):
        return int(stamp) if len(stamp) <= 15 and stamp.isdecimal() and stamp.isascii() else None
    return stamp


class TwilioLine:
    """Writes to one stream. The shell takes `frames` away and sends them in order."""

    __slots__ = ("_clear", "_mark", "_media", "frames")

    def __init__(self, stream_sid: str) -> None:
        sid = json.dumps(stream_sid)
        self.frames: list[str] = []
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":"'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'

    def play(self, payload: str) -> None:
        self.frames.append(self._media + payload + '"}}')

    def mark(self, name: str) -> None:
        self.frames.append(self._mark + name + '"}}')

    def clear(self) -> None:
        self.frames.append(self._clear)
