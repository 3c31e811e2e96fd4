"""One live phone call: two sockets, and the core between them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from uuid import UUID

from recordings.services.declining import DECLINED
from sessions.calls.declined_recordings import DeclinedBy
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import SomethingHappened
from sessions.calls.outcomes import RecordingEnd, ToolResult
from telephony.bridge.core.actions import Action, CloseCall, DeclineRecording, HangUp, RunTool
from telephony.bridge.core.ports import CallerCodec
from telephony.bridge.core.tape import Tape
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.recorded_call import RecordedCall

from .call_scope import CallScope
from .call_tape import CallTape
from .caller_socket import CLOSE_WITHIN_S, NOT_UNDERSTOOD, POLICY_VIOLATION, CallerSocket
from .gateway import CallGateway
from .registry import LiveCalls

EARLY_FRAMES = 100  # 2 s of sound while the agent is being briefed
BRIEF_WITHIN_S = 4.0
HEAR_WITHIN_S = 10.0
SEND_WITHIN_S = 2.0
DECLINED_WITHIN_S = 5.0

NORMAL = 1000

# What the agent's version says if this server records its calls.
BY_BRIDGE = "bridge"


class LiveCall(CallScope[PhoneCall]):
    """The caller is on a media stream: a carrier's, or that of a browser's dialer."""

    __slots__ = (
        "_caller_is_there",
        "_close_code",
        "_codec",
        "_declining",
        "_early",
        "_has_heard",
        "_heard_at",
        "_is_lost",
        "_is_return",
        "_socket",
        "_tape",
    )

    def __init__(
        self,
        call_id: UUID,
        *,
        stream_id: UUID | None,
        codec: CallerCodec,
        gateway: CallGateway,
        calls: LiveCalls,
        socket: CallerSocket,
        is_return: bool = False,
    ) -> None:
        """`is_return`: the caller comes back from a transfer that nobody took."""
        super().__init__(call_id, stream_id=stream_id, gateway=gateway, calls=calls)
        self._is_return = is_return
        self._codec = codec
        self._socket = socket
        self._heard_at = self._began_at
        self._has_heard = False
        self._early: list[str] = []
        self._close_code = NORMAL
        self._caller_is_there = True
        self._is_lost = False
        self._tape: CallTape | None = None
        self._declining: asyncio.Task[None] | None = None

    def _listen(self) -> None:
        self._socket.listen(on_text=self._caller_frame, on_closed=self._caller_closed)

    def _send_to_caller(self, texts: list[str]) -> None:
        self._socket.send_texts(texts)

    async def _close_caller(self) -> None:
        if self._caller_is_there:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await self._socket.close(self._close_code)

    def tick(self, now: float) -> None:
        if self._has_heard:
            self._has_heard = False
            self._heard_at = now
        core = self._core
        if core is None:
            return
        stuck_since = self._socket.stuck_since
        if stuck_since is not None and now - stuck_since > SEND_WITHIN_S:
            self._lose_caller(core, "does not read")
        elif now - self._heard_at > HEAR_WITHIN_S:
            self._lose_caller(core, "silent socket")
        else:
            super().tick(now)
            if self._tape is not None:
                self._tape.tick()

    async def _close(self) -> None:
        if self._tape is not None:
            self._tape.end()
        try:
            await super()._close()
            # Who presses the key and hangs up is not recorded either.
            if self._declining is not None:
                await asyncio.wait({self._declining}, timeout=DECLINED_WITHIN_S)
        finally:
            if self._tape is not None:
                await self._tape.close()

    def _caller_frame(self, text: str) -> None:
        """The hot path, fifty times a second. Called from inside the loop's read."""
        self._has_heard = True
        core = self._core
        if core is None:
            self._early.append(text)
            del self._early[:-EARLY_FRAMES]
            return
        try:
            core.caller_frame(text)
            self._settle(core)
        except Exception as fault:  # noqa: BLE001 - passed on: it ends this call
            self.break_off(fault)

    def _caller_closed(self, code: int) -> None:
        self._caller_is_there = False
        try:
            if self._core is None:
                has_said_goodbye = any(map(self._codec.ends_stream, self._early))
                reason = EndReason.CALLER_HUNG_UP if has_said_goodbye else EndReason.STREAM_LOST
                self._end(CloseCall(reason, HangUp()))
            else:
                self._lose_caller(self._core, f"closed with {code}")
        except Exception as fault:  # noqa: BLE001 - passed on: it ends this call
            self.break_off(fault)

    def _lose_caller(self, core: PhoneCall, why: str) -> None:
        self._is_lost = True
        if not core.is_over:
            core.caller_gone(why)
        self._settle(core)
        self._finish_now()

    def _on_close(self, core: PhoneCall, ending: CloseCall) -> None:
        if ending.reason is EndReason.STREAM_LOST and not self._is_lost:
            # From a socket that is still open: a second start, or too many bad frames.
            self._close_code = POLICY_VIOLATION if core.has_second_start else NOT_UNDERSTOOD
        self._end(ending)

    async def _prepare(self) -> None:
        async with asyncio.timeout(BRIEF_WITHIN_S):
            briefing = await self._gateway.brief(self.call_id)
            resumption = await self._gateway.resumption(self.call_id) if self._is_return else None
        if resumption is not None:
            self._recorder.resumption = resumption
            briefing = resumption.brief(briefing)
        if briefing.fallback_provider:
            self._fallback = briefing.provider, briefing.for_fallback()
        provider = self._choose(briefing)
        now_ms = self._now_ms()
        past = resumption.past if resumption is not None else ()
        kind = RecordedCall if briefing.recording == BY_BRIDGE else PhoneCall
        core = kind(
            briefing.without_prompt(),
            codec=self._codec,
            make_dialect=provider.make_dialect,
            past=past,
            shows_lines=self.shows_lines,
        )
        if isinstance(core, RecordedCall):
            self._record(core.tape, began_ms=resumption.began_ms if resumption is not None else 0)
        core.time_passed(now_ms)
        for text in self._early:
            core.caller_frame(text)
        self._early.clear()
        self._core = core
        self._settle(core)

    # The caller does not want to be recorded: by a tool of the agent, or by a key

    async def _run_in_gateway(self, tool: RunTool) -> ToolResult:
        result = await super()._run_in_gateway(tool)
        self._end_tape(result.recording)
        return result

    def _do(self, core: PhoneCall, action: Action) -> None:
        if isinstance(action, DeclineRecording):
            if self._declining is None or self._declining.done():
                self._declining = asyncio.create_task(self._decline(core))
        else:
            super()._do(core, action)

    async def _decline(self, core: PhoneCall) -> None:
        try:
            declined = await self._gateway.decline_recording(self.call_id, by=DeclinedBy.KEY)
            self._end_tape(declined.recording)
            core.note(declined.say)
            self._settle(core)
        except Exception as fault:  # noqa: BLE001 - passed on: it ends this call
            self.break_off(fault)

    def _end_tape(self, end: RecordingEnd | None) -> None:
        """The database says so already: what a process that dies leaves undone, a worker does."""
        if self._tape is None or end is None:
            return
        if end is RecordingEnd.KEPT:
            self._tape.stop_and_keep(DECLINED)
        else:
            self._tape.stop_and_delete()

    def _record(self, tape: Tape, *, began_ms: int) -> None:
        tape.own_clock = time.monotonic
        self._tape = CallTape(
            tape,
            call_id=self.call_id,
            starts_at_ms=began_ms,
            gateway=self._gateway,
            on_fault=lambda why: self._recorder.note(
                SomethingHappened("recording_failed", self._now_ms(), {"reason": why})
            ),
        )
