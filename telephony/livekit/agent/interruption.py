"""The button with which a caller silences the agent, and what his captions show of a sentence that was cut.

LiveKit names neither: the button is an RPC to the agent, and the cut text a text stream, both of our own names.
"""

from __future__ import annotations

from collections.abc import Callable

from livekit import rtc
from livekit.agents import ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

METHOD = "interrupt"
CUT_TOPIC = "voiceapp.cut"
FORBIDDEN = 403  # LiveKit's own codes are from 1001 to 1999
NOT_YOURS = "Only the caller may interrupt the agent."


class InterruptButton:
    """`on_press` is called when the one who may press it does. Pressing it twice does no more than once."""

    def __init__(self, room: rtc.Room, on_press: Callable[[], None]) -> None:
        self._room, self._on_press = room, on_press
        self._identity = ""

    def listen_to(self, identity: str) -> None:
        """To this participant alone; of one who joined twice, to the latest."""
        if not self._identity:
            self._room.local_participant.register_rpc_method(METHOD, self._pressed)
        self._identity = identity

    def close(self) -> None:
        if self._identity and self._room.isconnected():
            self._room.local_participant.unregister_rpc_method(METHOD)

    def _pressed(self, request: rtc.RpcInvocationData) -> str:
        if request.caller_identity != self._identity:
            raise rtc.RpcError(FORBIDDEN, NOT_YOURS)
        self._on_press()
        return ""


def cut_text(event: ConversationItemAddedEvent) -> str:
    """What was heard of a sentence of the agent's that was interrupted; empty for any other item, or if nothing was."""
    item = event.item
    if not isinstance(item, ChatMessage) or item.role != "assistant" or not item.interrupted:
        return ""
    return (item.text_content or "").strip()


async def show_cut(room: rtc.Room, text: str) -> None:
    """Tell the captions of everybody in the room: LiveKit's transcription has no sign for it."""
    if room.isconnected():
        await room.local_participant.send_text(text, topic=CUT_TOPIC)
