"""Encoding of Twirp: a protobuf or JSON request gets a response of the same kind; errors are JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.tokens import TokenClaims

PROTOBUF, JSON = "application/protobuf", "application/json"

STATUS = {
    "canceled": 408, "unknown": 500, "invalid_argument": 400, "malformed": 400, "deadline_exceeded": 408,
    "not_found": 404, "bad_route": 404, "already_exists": 409, "permission_denied": 403, "unauthenticated": 401,
    "resource_exhausted": 429, "failed_precondition": 412, "aborted": 409, "out_of_range": 400, "unimplemented": 501,
    "internal": 500, "unavailable": 503, "dataloss": 500,
}  # fmt: skip


# Errors of Twirp itself. Those of the server's methods have a prefix.
_OF_TWIRP = ("malformed", "bad_route", "unauthenticated", "unimplemented")


class TwirpError(Exception):
    """A Twirp error with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class TwirpCall:
    """The caller's claims and the faults of the URL."""

    claims: TokenClaims
    faults: LiveKitFaults


@dataclass(frozen=True, slots=True)
class Method:
    request: type[Message]
    do: Callable[[TwirpCall, Any], Awaitable[Message]]


def decode(request: web.Request, body: bytes, kind: type[Message]) -> Message:
    """Raises TwirpError."""
    if request.content_type == PROTOBUF:
        try:
            return kind.FromString(body)
        except DecodeError as exc:
            raise TwirpError("malformed", "the protobuf request could not be decoded") from exc
    if request.content_type == JSON:
        try:
            return json_format.Parse(body.decode(), kind(), ignore_unknown_fields=True)
        except (json_format.ParseError, ValueError, RecursionError) as exc:
            raise TwirpError("malformed", "the json request could not be decoded") from exc
    raise TwirpError("bad_route", f"unexpected Content-Type: {request.headers.get('Content-Type', '')!r}")


def encode(request: web.Request, message: Message) -> web.Response:
    if request.content_type == PROTOBUF:
        return web.Response(body=message.SerializeToString(), content_type=PROTOBUF)
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return web.Response(text=text, content_type=JSON)


def error_response(error: TwirpError) -> web.Response:
    message = error.message if error.code in _OF_TWIRP else f"twirp error unknown: {error.message}"
    return web.json_response({"code": error.code, "msg": message}, status=STATUS[error.code])
