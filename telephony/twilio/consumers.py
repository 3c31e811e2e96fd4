"""The socket that a phone call's audio arrives on: who may open it, and the call that it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.db import DatabaseError

from telephony.bridge.twilio.frames import TwilioCodec
from telephony.live.caller_socket import POLICY_VIOLATION, Receive, Send, caller_socket
from telephony.live.gateway import call_gateway
from telephony.live.live_call import LiveCall
from telephony.live.pending_streams import TooManyStreams, pending_streams
from telephony.live.registry import live_calls
from telephony.twilio.services.streams import RedeemedStream, TokenRefused
from voiceapp.core.metrics import tokens_refused

from .signature import verify_handshake
from .stream_start import StreamGone, StreamRefused, StreamStart, read_start

logger = structlog.get_logger("media_stream")

# Of ASGI's many messages only those of sockets come here, and they are read as plain mappings.
Scope = MutableMapping[str, Any]

START_WITHIN_S = 5.0
INTERNAL_ERROR = 1011


class MediaStreamConsumer(AsyncConsumer):
    """A Channels consumer that owns its receive loop.

    The stock dispatch visits a shared database thread before every message, makes a task for each, and never calls
    `disconnect()` after an exception. There is no channel layer here: a broker's outage must not end a call.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await receive()  # websocket.connect
        if live_calls.is_draining or not verify_handshake(scope):
            await send({"type": "websocket.close"})
            return
        try:
            with pending_streams.place():
                await send({"type": "websocket.accept"})
                start, stream = await self._redeem(scope, receive)
        except TooManyStreams:
            logger.warning("stream refused", reason="too_many_unstarted")
            await send({"type": "websocket.close"})
            return
        except StreamGone:
            return
        except TokenRefused:  # counted and logged by who refused it
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        except StreamRefused as refused:
            tokens_refused.labels(reason=refused.reason).inc()
            logger.warning("stream refused", reason=refused.reason)
            await send({"type": "websocket.close", "code": refused.code})
            return
        call = LiveCall(
            stream.call_id,
            stream_id=stream.stream_id,
            codec=TwilioCodec(start.stream_sid),
            gateway=call_gateway(),
            calls=live_calls,
            socket=caller_socket(scope, receive, send),
            is_return=stream.is_return,
        )
        await call.run()

    async def _redeem(self, scope: Scope, receive: Receive) -> tuple[StreamStart, RedeemedStream]:
        try:
            async with asyncio.timeout(START_WITHIN_S):
                start = await read_start(receive, scope["query_string"])
        except TimeoutError as exc:
            raise StreamRefused(POLICY_VIOLATION, "no_start") from exc
        try:
            # The call takes its place before anything else runs: nothing is awaited between here and there.
            with live_calls.place() as has_place:
                stream = await call_gateway().redeem_token(
                    start.token,
                    call_sid=start.call_sid,
                    account_sid=start.account_sid,
                    stream_sid=start.stream_sid,
                    hints=start.hints,
                    has_place=has_place,
                )
        except DatabaseError as exc:
            # The action webhook apologizes: it needs no row for that.
            raise StreamRefused(INTERNAL_ERROR, "no_database") from exc
        return start, stream


class NoSuchSocket(AsyncConsumer):
    """Any other address: refused with 403 before it is accepted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await receive()
        await send({"type": "websocket.close"})
