"""One live call of a browser's dialer: a phone call in all that is heard, with what its page shows beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from uuid import UUID

from sessions.calls.caller_sentences import caller_sentence
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import LineSpoken
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import Action, Record, RunTool, Show
from telephony.bridge.core.stream_clock import QUIET_AFTER_MS
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.recorded_call import RecordedCall
from telephony.bridge.twilio.dialer_frames import DialerCodec

from .call_watchers import call_watchers
from .caller_socket import POLICY_VIOLATION, CallerSocket
from .gateway import CallGateway
from .live_call import LiveCall
from .page_line import PageLine
from .registry import LiveCalls

# A phone's frame is as large, fifty times a second. A page that was held up sends some seconds at once.
FRAME_CHARACTERS = 400
CHARACTERS_PER_S = 100 * FRAME_CHARACTERS
MOST_AT_ONCE = 10 * CHARACTERS_PER_S
# A page sends a frame every 20 ms, in silence too: one that sends none for so long is away.
AWAY_AFTER_S = QUIET_AFTER_MS / 1000
# In one call: a page that opens sockets without end is no page of ours.
MOST_RETURNS = 60


class PageFrames:
    """The frames beside Media Streams that the dialer's page understands."""

    def __init__(self, stream_sid: str, language: str = "en") -> None:
        self._stream_sid = stream_sid
        self._language = language

    def call(self, call_id: UUID) -> str:
        return self._frame("call", callId=str(call_id))

    def returned(self, call_id: UUID) -> str:
        return self._frame("returned", callId=str(call_id))

    def caption(self, line: LineSpoken, *, is_final: bool) -> str:
        caption = {
            "id": line.item_id,
            "who": line.speaker.value,
            "text": line.text,
            "isFinal": is_final,
            "wasInterrupted": line.is_cut,
        }
        return self._frame("caption", caption=caption)

    def tool(self, name: str) -> str:
        return self._frame("tool", name=name)

    def progress(self, progress: Mapping[str, object]) -> str:
        return self._frame("progress", progress=progress)

    def ended(self, reason: EndReason) -> str:
        return self._frame("ended", endReason=reason.value, message=caller_sentence(reason, self._language))

    def refused(self, code: str, message: str) -> str:
        return self._frame("refused", code=code, message=message)

    def _frame(self, event: str, **content: object) -> str:
        return json.dumps({"event": event, "streamSid": self._stream_sid, **content}, separators=(",", ":"))


class DialerCall(LiveCall):
    """Nothing follows its end: no carrier asks. A page whose socket breaks may come back on another one."""

    shows_lines = True

    def __init__(
        self,
        call_id: UUID,
        *,
        stream_sid: str,
        gateway: CallGateway,
        calls: LiveCalls,
        socket: CallerSocket,
        language: str = "en",
    ) -> None:
        self._line = PageLine(socket)
        codec = self._page_codec = DialerCodec(stream_sid)
        super().__init__(call_id, stream_id=None, codec=codec, gateway=gateway, calls=calls, socket=self._line)
        self._stream_sid = stream_sid
        self._page = PageFrames(stream_sid, language)
        self._allowance = MOST_AT_ONCE
        self._allowed_at = self._began_at
        self._away_since: float | None = None
        self._is_another_socket = False
        self._returns = 0
        self._running: dict[str, str] = {}  # names of tools by their ids

    # The page

    @property
    def is_over(self) -> bool:
        """Its end is decided."""
        return self._over.done()

    @property
    def socket_gone(self) -> asyncio.Event:
        """Set when the socket of now is not this call's any more."""
        return self._line.gone

    def may_return(self, stream_sid: str, *, received: int) -> bool:
        """Whether this is its page, which has had so many of our texts. The stream's name is known to it alone."""
        return stream_sid == self._stream_sid and self._returns < MOST_RETURNS and self._line.has_kept(received)

    def take_socket(self, socket: CallerSocket, *, received: int) -> None:
        """The page is back (`may_return`)."""
        self._returns += 1
        self._go_away()
        self._is_another_socket, self._has_heard = self._away_since is not None, True
        missing = self._line.take(socket, greeting=self._page.returned(self.call_id), received=received)
        if isinstance(self._core, RecordedCall):
            self._core.tape.sent_again(sum(map(self._page_codec.is_sound, missing)))

    def show_progress(self, progress: Mapping[str, object]) -> None:
        """The page shows what the call has made so far."""
        self._line.send_texts([self._page.progress(progress)])

    # The scope

    def _listen(self) -> None:
        self._line.send_texts([self._page.call(self.call_id)])
        super()._listen()

    def _do(self, core: PhoneCall, action: Action) -> None:
        super()._do(core, action)
        match action:
            case Record(LineSpoken() as line):
                self._line.send_texts([self._page.caption(line, is_final=True)])
            case Show(line):
                self._line.send_texts([self._page.caption(line, is_final=False)])

    async def _run_in_gateway(self, tool: RunTool) -> ToolResult:
        """The page shows the newest tool that runs."""
        self._running[tool.tool_call_id] = tool.name
        self._line.send_texts([self._page.tool(tool.name)])
        try:
            return await super()._run_in_gateway(tool)
        finally:
            del self._running[tool.tool_call_id]
            self._line.send_texts([self._page.tool(next(reversed(self._running.values()), ""))])
            call_watchers.changed(self.call_id)

    def _on_written(self) -> None:
        call_watchers.changed(self.call_id)

    async def _close_caller(self) -> None:
        if self._caller_is_there and self._ending is not None:
            self._line.send_texts([self._page.ended(self._ending.reason)])
        await super()._close_caller()

    # While no frame comes, nothing is believed to be heard. It goes on where it was when one comes again.

    def tick(self, now: float) -> None:
        passed_s, self._allowed_at = now - self._allowed_at, now
        self._allowance = min(MOST_AT_ONCE, self._allowance + int(passed_s * CHARACTERS_PER_S))
        self._line.tick(now)
        super().tick(now)
        if now - self._heard_at > AWAY_AFTER_S:
            self._go_away()

    def _go_away(self) -> None:
        if self._away_since is None and self._core is not None:
            self._away_since = self._heard_at
            self._core.line_broke(silent_ms=self._ms_since(self._heard_at))

    def _come_back(self, core: PhoneCall, away_since: float) -> None:
        self._away_since = None
        is_another, self._is_another_socket = self._is_another_socket, False
        core.line_is_back(away_ms=max(1, self._ms_since(away_since)) if is_another else 0)

    def _ms_since(self, at: float) -> int:
        return int((self._loop.time() - at) * 1000)

    # A carrier's caller cannot speak faster than time passes; a page could, and the AI provider bills what it hears.

    def _caller_frame(self, text: str) -> None:
        self._allowance -= max(len(text), FRAME_CHARACTERS)
        core = self._core
        if self._allowance > 0:
            if self._away_since is not None and core is not None:
                self._come_back(core, self._away_since)
            super()._caller_frame(text)
        elif core is not None and not core.is_over:
            self._close_code = POLICY_VIOLATION
            self._lose_caller(core, "too fast")
