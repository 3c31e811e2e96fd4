"""What a media stream says before it is a call: `connected`, then `start`, with the token that we minted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from telephony.live.caller_socket import NOT_UNDERSTOOD, POLICY_VIOLATION, Receive

LONGEST_VALUE = 500
MOST_BAD_FRAMES = 20


class StreamRefused(Exception):
    """The socket is closed with `code`; no request to a provider is sent and no call changes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class StreamGone(Exception):
    """The socket was closed by the other side before it started a call."""


@dataclass(frozen=True, slots=True)
class StreamStart:
    """Who the stream says it is. Nothing of it is believed before the token is redeemed."""

    stream_sid: str
    call_sid: str
    account_sid: str
    token: str
    hints: Mapping[str, str]


# Twilio's own names.
class _MediaFormat(msgspec.Struct):
    encoding: str = "audio/x-mulaw"
    sampleRate: int = 8000
    channels: int = 1


class StartFrame(msgspec.Struct):
    """What follows `connected`, as it came."""

    streamSid: str
    callSid: str
    accountSid: str
    mediaFormat: _MediaFormat = msgspec.field(default_factory=_MediaFormat)
    customParameters: dict[str, str] = {}


class _Frame(msgspec.Struct):
    event: str
    start: StartFrame | None = None


_decoder = msgspec.json.Decoder(_Frame)


async def read_start(receive: Receive, query_string: bytes) -> StreamStart:
    """Wait for `start`. Raises StreamRefused for what is not a stream of ours, StreamGone when there is none."""
    return _stream_start(await read_start_frame(receive), query_string)


async def read_start_frame(receive: Receive) -> StartFrame:
    """Wait for `start` of any µ-law stream at 8 kHz. Raises as `read_start` does."""
    bad_frames = 0
    while bad_frames < MOST_BAD_FRAMES:
        message = await receive()
        if message["type"] != "websocket.receive":
            raise StreamGone
        frame = _parse(message.get("text"))
        if frame is None:
            bad_frames += 1
        elif frame.event == "start":
            return _checked(frame.start)
    raise StreamRefused(NOT_UNDERSTOOD, "garbage")


def _parse(text: str | None) -> _Frame | None:
    try:
        return _decoder.decode(text or "")
    except (ValueError, RecursionError):
        return None


def _checked(start: StartFrame | None) -> StartFrame:
    if start is None:
        raise StreamRefused(POLICY_VIOLATION, "empty_start")
    form = start.mediaFormat
    if (form.encoding, form.sampleRate, form.channels) != ("audio/x-mulaw", 8000, 1):
        raise StreamRefused(POLICY_VIOLATION, "media_format")
    if not 0 < len(start.streamSid) <= LONGEST_VALUE:
        raise StreamRefused(POLICY_VIOLATION, "malformed_start")
    return start


def _stream_start(start: StartFrame, query_string: bytes) -> StreamStart:
    hints = dict(start.customParameters)
    token = hints.pop("token", "")
    for name, value in parse_qsl(query_string.decode("latin-1")):
        # The spec's address carries a bare plus in `from`, which a query decodes to a space.
        hint = value.replace(" ", "+") if name == "from" else value
        if hints.setdefault(name, hint) != hint:
            raise StreamRefused(POLICY_VIOLATION, "hints_disagree")
    values = (start.callSid, start.accountSid, token, *hints.values())
    if not token or any(len(value) > LONGEST_VALUE for value in values):
        raise StreamRefused(POLICY_VIOLATION, "no_token" if not token else "malformed_start")
    return StreamStart(start.streamSid, start.callSid, start.accountSid, token, hints)
