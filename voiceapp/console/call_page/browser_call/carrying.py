"""Which process carries a browser's call: that of the page's socket, so that what the page says arrives at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from telephony.live.browser_live_call import BrowserLiveCall
from telephony.live.gateway import call_gateway
from telephony.live.registry import live_calls
from voiceapp.core.serving import process_name


def claim(call_id: UUID) -> None:
    """The page's socket is here: a call that has no answer yet will be carried here."""
    Call.objects.filter(pk=call_id, state=CallState.PENDING).update(process=process_name())


def is_ours(call: Call) -> bool:
    """Whether this process is to carry the call from now on. For processes without the socket: only if none has it."""
    return call.state == CallState.CONNECTED and call.process == process_name()


async def carry(call_id: UUID, provider_call_id: str) -> EndReason | None:
    """Follow the call in this process from now on; the reason why not, if not. On the server's event loop."""
    with live_calls.place() as has_place:
        if live_calls.is_draining:
            return EndReason.SERVER_STOPPING
        if not has_place:
            return EndReason.LINE_FULL
        if not live_calls.is_carrying(call_id):
            call = BrowserLiveCall(call_id, provider_call_id=provider_call_id, gateway=call_gateway(), calls=live_calls)
            live_calls.carry(call)
            await asyncio.sleep(0)  # it takes its place
    return None


async def tell_carrier(call_id: UUID) -> None:
    """There are messages for the call: it takes them now if it is here, otherwise soon."""
    call = live_calls.find(call_id)
    if isinstance(call, BrowserLiveCall):
        await call.take_messages()
