"""The socket of the call page's dialer: Media Streams with the browser in the carrier's place."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from telephony.live.caller_socket import POLICY_VIOLATION, CallerSocket, Receive, Send, caller_socket
from telephony.live.dialer_call import DialerCall, PageFrames
from telephony.live.gateway import call_gateway
from telephony.live.pending_streams import TooManyStreams, pending_dialers
from telephony.live.registry import live_calls
from telephony.twilio.stream_start import StartFrame, StreamGone, StreamRefused, read_start_frame
from voiceapp.core.http.client_address import address_in_scope, network_of
from voiceapp.core.http.pooled_requests import webhook_threads

from ..access import accepted_protocol, is_own_origin, language_of_socket
from ..progress_feed import follow_progress
from .services import CallRefused, PageCall, begin_call, find_again

logger = structlog.get_logger("dialer")

# Of ASGI's many messages only those of sockets come here, and they are read as plain mappings.
Scope = MutableMapping[str, Any]

# What is read of a scope; the server's own objects cannot go to another process.
READ = ("headers", "scheme", "subprotocols", "query_string")
START_WITHIN_S = 5.0
NORMAL = 1000
# The call is carried by another process: a page that tries again may be led there.
TRY_AGAIN_LATER = 1013
# In `customParameters` of a page that comes back: its call, and how many of our texts it has had.
CALL_ID, RECEIVED = "callId", "received"
DRAINING = _("The server is restarting. Call again in a minute.")
NO_DATABASE = _("Something went wrong on our side. Call again in a minute.")
NOT_KEPT = _("The connection was lost for too long. Call again.")


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
        stream_sid, language = "", language_of_socket(scope)
        try:
            with pending_dialers.place(network_of(address_in_scope(scope))):
                await send({"type": "websocket.accept", "subprotocol": accepted_protocol(scope)})
                async with asyncio.timeout(START_WITHIN_S):
                    start = await read_start_frame(receive)
                stream_sid = start.streamSid
                socket = caller_socket(scope, receive, send)
                found, call = await self._call_of(scope, start, socket)
        except TooManyStreams:
            logger.warning("dialer refused", reason="too_many_unstarted")
            await send({"type": "websocket.close"})
        except StreamGone:
            return
        except TimeoutError:
            logger.warning("dialer refused", reason="no_start")
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        except StreamRefused as refused:
            logger.warning("dialer refused", reason=refused.reason)
            await send({"type": "websocket.close", "code": refused.code})
        except CallRefused as refused:
            logger.info("dialer refused", reason=refused.code)
            with translation.override(language):
                frame = PageFrames(stream_sid, language).refused(refused.code, str(refused.message))
            await send({"type": "websocket.send", "text": frame})
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            if call is not None:
                await self._follow(call, sees_cost=found.sees_cost, language=language)
            elif found.ended is not None:
                await send({"type": "websocket.send", "text": PageFrames(stream_sid, language).ended(found.ended)})
                await send({"type": "websocket.close", "code": NORMAL})
            else:
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})

    async def _call_of(
        self, scope: Scope, start: StartFrame, socket: CallerSocket
    ) -> tuple[PageCall, DialerCall | None]:
        """The page's call, which has the socket if this process carries it. Raises CallRefused."""
        handshake = {name: scope[name] for name in READ if name in scope}
        slug = scope["url_route"]["kwargs"]["organization"]
        try:
            if call_id := start.customParameters.get(CALL_ID):
                found = await webhook_threads.run(find_again, handshake, slug, call_id)
                return found, _returned(found, start, socket)
            if live_calls.is_draining:
                raise CallRefused("refused", DRAINING)
            with live_calls.place() as has_place:
                found = await webhook_threads.run(
                    begin_call, handshake, slug, address=address_in_scope(scope), has_place=has_place
                )
                call = DialerCall(
                    found.call_id,
                    stream_sid=start.streamSid,
                    gateway=call_gateway(),
                    calls=live_calls,
                    socket=socket,
                    language=language_of_socket(scope),
                )
                live_calls.carry(call)
                await asyncio.sleep(0)  # it takes its place
            return found, call
        except DatabaseError as exc:
            raise CallRefused("refused", NO_DATABASE) from exc

    async def _follow(self, call: DialerCall, *, sees_cost: bool, language: str) -> None:
        """Until the socket breaks, or the call is over and all about it is written."""
        gone = call.socket_gone
        pushing = asyncio.create_task(
            follow_progress(call.call_id, call.show_progress, sees_cost=sees_cost, language=language)
        )
        try:
            await gone.wait()
        finally:
            pushing.cancel()
            [fault] = await asyncio.gather(pushing, return_exceptions=True)
            if isinstance(fault, Exception):
                logger.error("progress not shown", call_id=str(call.call_id), exc_info=fault)
        if call.is_over:
            await live_calls.until_closed(call.call_id)


def _returned(found: PageCall, start: StartFrame, socket: CallerSocket) -> DialerCall | None:
    """The page's call with the new socket. None: it is over, or elsewhere. Raises CallRefused."""
    call = live_calls.find(found.call_id)
    if not isinstance(call, DialerCall) or call.is_over:
        return None
    text = start.customParameters.get(RECEIVED, "")
    received = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    if not call.may_return(start.streamSid, received=received):
        raise CallRefused("connection_lost", NOT_KEPT)
    call.take_socket(socket, received=received)
    return call
