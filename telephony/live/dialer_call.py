"""One live call of a browser's dialer: a phone call in all that is heard, with what its page shows beside it."""

from __future__ import annotations

import json
from uuid import UUID

from sessions.calls.caller_sentences import caller_sentence
from sessions.calls.facts import LineSpoken
from telephony.bridge.core.actions import Action, CloseCall, Record
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.twilio.dialer_frames import DialerCodec

from .caller_socket import POLICY_VIOLATION, CallerSocket
from .gateway import CallGateway
from .live_call import LiveCall
from .registry import LiveCalls

# A phone's frame is as large, fifty times a second. A page that was held up sends some seconds at once.
FRAME_CHARACTERS = 400
CHARACTERS_PER_S = 100 * FRAME_CHARACTERS
MOST_AT_ONCE = 10 * CHARACTERS_PER_S


class PageFrames:
    """The frames beside Media Streams that the dialer's page understands."""

    def __init__(self, stream_sid: str) -> None:
        self._stream_sid = stream_sid

    def call(self, call_id: UUID) -> str:
        return self._frame("call", callId=str(call_id))

    def caption(self, line: LineSpoken) -> str:
        caption = {
            "id": line.item_id,
            "who": line.speaker.value,
            "text": line.text,
            "isFinal": True,
            "wasInterrupted": line.is_cut,
        }
        return self._frame("caption", caption=caption)

    def ended(self, ending: CloseCall) -> str:
        return self._frame("ended", endReason=ending.reason.value, message=caller_sentence(ending.reason))

    def refused(self, code: str, message: str) -> str:
        return self._frame("refused", code=code, message=message)

    def _frame(self, event: str, **content: object) -> str:
        return json.dumps({"event": event, "streamSid": self._stream_sid, **content}, separators=(",", ":"))


class DialerCall(LiveCall):
    """Nothing follows its end: no carrier asks."""

    def __init__(
        self, call_id: UUID, *, stream_sid: str, gateway: CallGateway, calls: LiveCalls, socket: CallerSocket
    ) -> None:
        codec = DialerCodec(stream_sid)
        super().__init__(call_id, stream_id=None, codec=codec, gateway=gateway, calls=calls, socket=socket)
        self._page = PageFrames(stream_sid)
        self._allowance = MOST_AT_ONCE
        self._allowed_at = self._began_at

    def _listen(self) -> None:
        self._socket.send_texts([self._page.call(self.call_id)])
        super()._listen()

    def _do(self, core: PhoneCall, action: Action) -> None:
        super()._do(core, action)
        if isinstance(action, Record) and isinstance(action.fact, LineSpoken):
            self._socket.send_texts([self._page.caption(action.fact)])

    async def _close_caller(self) -> None:
        if self._caller_is_there and self._ending is not None:
            self._socket.send_texts([self._page.ended(self._ending)])
        await super()._close_caller()

    # A carrier's caller cannot speak faster than time passes; a page could, and the AI provider bills what it hears.

    def tick(self, now: float) -> None:
        passed_s, self._allowed_at = now - self._allowed_at, now
        self._allowance = min(MOST_AT_ONCE, self._allowance + int(passed_s * CHARACTERS_PER_S))
        super().tick(now)

    def _caller_frame(self, text: str) -> None:
        self._allowance -= max(len(text), FRAME_CHARACTERS)
        if self._allowance > 0:
            super()._caller_frame(text)
        elif self._core is not None and not self._core.is_over:
            self._close_code = POLICY_VIOLATION
            self._lose_caller(self._core, "too fast")
