"""The socket of the call page's dialer: Media Streams with the browser in the carrier's place."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

import structlog
from channels.consumer import AsyncConsumer
from django.db import DatabaseError

from telephony.live.caller_socket import POLICY_VIOLATION, Receive, Send, caller_socket
from telephony.live.dialer_call import DialerCall, PageFrames
from telephony.live.gateway import call_gateway
from telephony.live.pending_streams import TooManyStreams, pending_dialers
from telephony.live.registry import live_calls
from telephony.twilio.stream_start import StreamGone, StreamRefused, read_start_frame
from voiceapp.core.http.client_address import address_in_scope, network_of
from voiceapp.core.http.pooled_requests import webhook_threads

from ..access import accepted_protocol, is_own_origin
from .services import CallRefused, begin_call

logger = structlog.get_logger("dialer")

# Of ASGI's many messages only those of sockets come here, and they are read as plain mappings.
Scope = MutableMapping[str, Any]

# What is read of a scope; the server's own objects cannot go to another process.
READ = ("headers", "scheme", "subprotocols")
START_WITHIN_S = 5.0
DRAINING = "The server is restarting. Call again in a minute."
NO_DATABASE = "Something went wrong on our side. Call again in a minute."


class DialerConsumer(AsyncConsumer):
    """A Channels consumer that owns its receive loop, for the reasons of MediaStreamConsumer.

    Every page of ours is accepted, and then told why it gets no call: a browser cannot read why a handshake failed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        await receive()  # websocket.connect
        if not is_own_origin(scope):
            logger.warning("dialer refused", reason="origin")
            await send({"type": "websocket.close"})
            return
        try:
            with pending_dialers.place(network_of(address_in_scope(scope))):
                await send({"type": "websocket.accept", "subprotocol": accepted_protocol(scope)})
                async with asyncio.timeout(START_WITHIN_S):
                    start = await read_start_frame(receive)
                call_id = await self._begin(scope)
        except TooManyStreams:
            logger.warning("dialer refused", reason="too_many_unstarted")
            await send({"type": "websocket.close"})
            return
        except StreamGone:
            return
        except TimeoutError:
            logger.warning("dialer refused", reason="no_start")
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        except StreamRefused as refused:
            logger.warning("dialer refused", reason=refused.reason)
            await send({"type": "websocket.close", "code": refused.code})
            return
        except CallRefused as refused:
            logger.info("dialer refused", reason=refused.code)
            frame = PageFrames(start.streamSid).refused(refused.code, refused.message)
            await send({"type": "websocket.send", "text": frame})
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        call = DialerCall(
            call_id,
            stream_sid=start.streamSid,
            gateway=call_gateway(),
            calls=live_calls,
            socket=caller_socket(scope, receive, send),
        )
        await call.run()

    async def _begin(self, scope: Scope) -> UUID:
        if live_calls.is_draining:
            raise CallRefused("refused", DRAINING)
        try:
            # The call takes its place before anything else runs: nothing is awaited between here and there.
            with live_calls.place() as has_place:
                return await webhook_threads.run(
                    begin_call,
                    {name: scope[name] for name in READ if name in scope},
                    scope["url_route"]["kwargs"]["organization"],
                    address=address_in_scope(scope),
                    has_place=has_place,
                )
        except DatabaseError as exc:
            raise CallRefused("refused", NO_DATABASE) from exc
