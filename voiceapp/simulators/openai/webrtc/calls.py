"""`POST /v1/realtime/calls` and what follows: side channels by call id, hang-ups (protocols.md, B2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import BodyPartReader, WSMsgType, web

from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.schema import InvalidRequest, wrong_type
from voiceapp.simulators.openai.socket_sender import SocketSender
from voiceapp.simulators.openai.validation import check_session
from voiceapp.simulators.openai.webrtc.call import InvalidOffer, SessionFactory, WebRTCCall

LONGEST_OFFER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class CallRequest:
    """`settings`: the session that came with the offer, if any."""

    offer: str
    settings: Mapping[str, Any] | None = None


async def read_call_request(request: web.Request) -> CallRequest:
    """An offer alone, or with its session as multipart. Raises InvalidRequest."""
    if request.content_type == "application/sdp":
        return CallRequest(_text(await request.content.read(LONGEST_OFFER_BYTES)))
    if request.content_type != "multipart/form-data":
        message = f"Unsupported content type: '{request.content_type}'. Use 'application/sdp' or 'multipart/form-data'."
        raise InvalidRequest("unsupported_content_type", message)
    parts: dict[str, bytes] = {}
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name:
                parts[part.name] = bytes(await part.read_chunk(LONGEST_OFFER_BYTES))
    except ValueError as exc:
        raise InvalidRequest("invalid_multipart", "The multipart body could not be parsed.") from exc
    if "sdp" not in parts:
        raise InvalidRequest("missing_required_parameter", "Missing required parameter: 'sdp'.", "sdp")
    return CallRequest(_text(parts["sdp"]), _session_of(parts["session"]) if "session" in parts else None)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _session_of(raw: bytes) -> dict[str, Any]:
    try:
        session = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InvalidRequest("invalid_json", "We could not parse the JSON of the session.", "session") from exc
    if not isinstance(session, dict):
        raise wrong_type(session, "session", "an object")
    check_session(session)
    return session


@dataclass(slots=True)
class WebRTCCalls:
    """The calls that are live, by id."""

    _live: dict[str, WebRTCCall] = field(default_factory=dict)
    _watching: set[asyncio.Task[None]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._live)

    def find(self, call_id: str) -> WebRTCCall | None:
        return self._live.get(call_id)

    async def open(self, offer: str, make_session: SessionFactory, faults: OpenAIFaults) -> tuple[WebRTCCall, str]:
        """A new call and the answer to its offer. Raises InvalidRequest."""
        call = WebRTCCall(make_session, faults)
        try:
            answer = await call.answer(offer)
        except InvalidOffer as exc:
            raise InvalidRequest("invalid_offer", str(exc), "sdp") from exc
        self._live[call.id] = call
        watching = asyncio.get_running_loop().create_task(self._forget_at_end(call))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        return call, answer

    async def close(self, code: int, reason: str) -> None:
        await asyncio.gather(*(call.aclose(code, reason) for call in list(self._live.values())))

    async def _forget_at_end(self, call: WebRTCCall) -> None:
        await call.closed.wait()
        del self._live[call.id]


async def follow(call: WebRTCCall, socket: web.WebSocketResponse, sender: SocketSender) -> None:
    """A side channel: it gets the events of the call and sends events into its session, until either ends."""
    call.follow(sender)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                call.session.receive(message.data)
            elif message.type is WSMsgType.BINARY:
                sender.error("invalid_json", "Could not parse the event: binary frames are not supported.")
    finally:
        call.followers.discard(sender)
