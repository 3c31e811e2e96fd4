"""One phone call as the shell sees it: text frames in from both sides, text frames and actions out. It never raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import Action, FallBack, HangUp, LinkLoss, RunTool
from telephony.bridge.core.agent_item import is_loud
from telephony.bridge.core.conversation import Conversation
from telephony.bridge.core.events import CallerEvent, KeyPressed, MarkEchoed, StreamStopped
from telephony.bridge.core.playout import Playout
from telephony.bridge.core.ports import AgentDialect, BadFrame, CallerCodec
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import BYTES_PER_MS, silence

MOST_BAD_FRAMES = 20

MakeDialect = Callable[[StreamClock], AgentDialect]


class PhoneCall:
    """Swap `to_caller`, `to_agent` and `actions` for empty lists, and send what was in them in order."""

    def __init__(self, briefing: Briefing, *, codec: CallerCodec, make_dialect: MakeDialect) -> None:
        self._clock = StreamClock()
        self._codec = codec
        self._dialect = make_dialect(self._clock)
        playout = Playout(codec, self._clock)
        self._read = codec.read
        self._hear = self._dialect.hear
        self._conversation = Conversation(briefing, agent=self._dialect, playout=playout, clock=self._clock)
        self._timeline = self._conversation.timeline
        self._bad_frames = 0
        self._bad_agent_frames = 0

    @property
    def to_caller(self) -> list[str]:
        return self._codec.frames

    @to_caller.setter
    def to_caller(self, frames: list[str]) -> None:
        self._codec.frames = frames

    @property
    def to_agent(self) -> list[str]:
        return self._dialect.frames

    @to_agent.setter
    def to_agent(self, frames: list[str]) -> None:
        self._dialect.frames = frames

    @property
    def actions(self) -> list[Action]:
        return self._timeline.actions

    @actions.setter
    def actions(self, actions: list[Action]) -> None:
        self._timeline.actions = actions

    @property
    def is_over(self) -> bool:
        return self._conversation.is_over

    def caller_frame(self, text: str) -> None:
        """A text frame of the carrier's after its start: audio, a mark, a key, the end, or garbage."""
        conversation = self._conversation
        if conversation.is_over:
            return
        try:
            frame = self._read(text)
        except BadFrame:
            self._bad_frame()
            return
        if not isinstance(frame, tuple):
            self._caller_event(frame)
            return
        payload, size, at_ms = frame
        if missing_ms := self._clock.frame_arrived(at_ms, size // BYTES_PER_MS):
            self._pad(missing_ms)
        self._hear(payload, size)
        if conversation.is_caller_speaking and is_loud(payload):
            conversation.caller_loud_ms = conversation.now_ms

    def caller_gone(self, why: str) -> None:
        """The media socket closed, or the carrier no longer reads from it."""
        if not self._conversation.is_over:
            self._timeline.happened("stream_lost", why=why[:80])
            self._conversation.close(EndReason.STREAM_LOST, HangUp())

    def agent_frame(self, text: str) -> None:
        """A text frame of the provider's."""
        conversation = self._conversation
        if conversation.is_over:
            return
        conversation.agent_frame_ms = conversation.now_ms
        if self._dialect.is_about_response(text):
            conversation.response_frame_ms = conversation.now_ms
        try:
            received = self._dialect.receive(text)
            if isinstance(received, tuple):
                conversation.agent_audio(*received)
            elif received is not None:
                conversation.receive(received)
        except ValueError:  # BadFrame, or audio that is not base64
            self._bad_agent_frame()

    def link_opened(self) -> None:
        """The provider's websocket is open; nothing has been received yet."""
        self._bad_agent_frames = 0
        self._conversation.agent_frame_ms = self._conversation.now_ms

    def link_lost(self, loss: LinkLoss) -> None:
        """The provider's websocket was closed, refused, or cannot be reached."""
        if self._conversation.is_over:
            return
        if self._dialect.is_fatal(loss):
            loss = LinkLoss(loss.code, loss.reason, is_fatal=True)
        elif loss.wait_ms is None:
            loss = replace(loss, wait_ms=self._dialect.wait_ms(loss))
        self._conversation.link_lost(loss)

    def tool_finished(self, tool_call_id: str, result: ToolResult) -> None:
        """The shell calls this once for every RunTool, however the tool ended and however late."""
        if not self._conversation.is_over:
            self._conversation.tool_finished(tool_call_id, result)

    def waiting_tools(self) -> list[RunTool]:
        """After the end: tools that the agent requested and that have not begun, in order. Returned once."""
        return self._conversation.waiting_tools()

    def time_passed(self, now_ms: int) -> None:
        """Ten times a second: milliseconds since the stream began, never going back."""
        conversation = self._conversation
        if conversation.is_over:
            return
        if missing_ms := self._clock.tick(now_ms):
            self._pad(missing_ms)
        conversation.time_passed(now_ms)

    def hang_up(self, reason: EndReason) -> None:
        """End the call from outside: an operator, or a server that stops."""
        self._conversation.close(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp())

    def _pad(self, missing_ms: int) -> None:
        self._hear(silence(missing_ms), missing_ms * BYTES_PER_MS)

    def _caller_event(self, event: CallerEvent) -> None:
        match event:
            case MarkEchoed(name):
                self._conversation.mark_echoed(name)
            case KeyPressed(digit):
                self._conversation.key_pressed(digit)
            case StreamStopped():
                self._conversation.close(EndReason.CALLER_HUNG_UP, HangUp())

    def _bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames == MOST_BAD_FRAMES:
            self.caller_gone("bad frames")

    def _bad_agent_frame(self) -> None:
        self._bad_agent_frames += 1
        if self._bad_agent_frames == MOST_BAD_FRAMES:
            self._conversation.link_unusable("bad frames")
