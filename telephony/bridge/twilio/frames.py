"""Twilio Media Streams on the wire: text frames to values, and the three frames we may send.

One typed decode reads a frame whatever the order of its keys, its spaces and escapes; measured, it costs less than
finding and slicing the payload, and it refuses NaN, wrong types and deep nesting by itself.
"""

from __future__ import annotations

import json

import msgspec

from telephony.bridge.core.events import CallerEvent, Ignored, KeyPressed, MarkEchoed, StreamStarted, StreamStopped
from telephony.bridge.core.ports import NOT_JSON, BadFrame, CallerAudio
from telephony.bridge.core.ulaw import decoded

DIGITS = frozenset("0123456789*#ABCD")


class Media(msgspec.Struct, gc=False):
    payload: str
    timestamp: str | int | None = None


class Mark(msgspec.Struct, gc=False):
    """`timestamp`: of a dialer's page that reports late when the sound was heard, as `Media` has it."""

    name: str
    timestamp: str | int | None = None


class Dtmf(msgspec.Struct, gc=False):
    digit: str


class TwilioFrame(msgspec.Struct, gc=False):
    """A frame from Twilio: `event` says which of the others matters."""

    event: str
    media: Media | None = None
    mark: Mark | None = None
    dtmf: Dtmf | None = None


_decoder = msgspec.json.Decoder(TwilioFrame)

_FRAME_BYTES = 160
_FRAME_CHARS = 216
_IGNORED, _STARTED, _STOPPED = Ignored(), StreamStarted(), StreamStopped()


def timestamp_ms(frame: Media | Mark) -> int | None:
    """Presentation time in the stream, or None when it is absent or nonsense."""
    stamp = frame.timestamp
    if isinstance(stamp, str):
        return int(stamp) if len(stamp) <= 15 and stamp.isdecimal() and stamp.isascii() else None
    return stamp


class TwilioCodec:
    """The CallerCodec of one Media Stream."""

    __slots__ = ("_clear", "_mark", "_media", "frames")

    def __init__(self, stream_sid: str) -> None:
        sid = json.dumps(stream_sid)
        self.frames: list[str] = []
        self._media = f'{{"event":"media","streamSid":{sid},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{sid},"mark":{{"name":"'
        self._clear = f'{{"event":"clear","streamSid":{sid}}}'

    def read(self, text: str) -> CallerAudio | CallerEvent:
        try:
            frame = _decoder.decode(text)
        except NOT_JSON as exc:
            raise BadFrame from exc
        match frame.event:
            case "media" if (media := frame.media) is not None:
                payload = media.payload
                if len(payload) == _FRAME_CHARS and payload.endswith("==") and payload.isascii() and "\\" not in text:
                    size = _FRAME_BYTES  # the frame as it always is; nothing in it can break out of a JSON string
                elif audio := decoded(payload):
                    size = len(audio)
                else:
                    raise BadFrame
                return payload, size, timestamp_ms(media)
            case "mark" if frame.mark is not None:
                return MarkEchoed(frame.mark.name, timestamp_ms(frame.mark))
            case "dtmf" if frame.dtmf is not None and frame.dtmf.digit in DIGITS:
                return KeyPressed(frame.dtmf.digit)
            case "stop":
                return _STOPPED
            case "start":
                return _STARTED
            case "media" | "mark" | "dtmf":
                raise BadFrame
            case _:
                return _IGNORED

    def ends_stream(self, text: str) -> bool:
        return '"stop"' in text

    def play(self, payload: str) -> None:
        self.frames.append(self._media + payload + '"}}')

    def mark(self, name: str) -> None:
        self.frames.append(self._mark + name + '"}}')

    def clear(self) -> None:
        self.frames.append(self._clear)
