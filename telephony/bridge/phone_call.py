"""One phone call as the shell sees it: text frames in from both sides, text frames and actions out. It never raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import FallBack, HangUp, LinkLoss, RunTool
from telephony.bridge.core.agent_item import is_loud
from telephony.bridge.core.conversation import Conversation
from telephony.bridge.core.events import CallerEvent, KeyPressed, MarkEchoed, StreamStarted, StreamStopped
from telephony.bridge.core.playout import Playout
from telephony.bridge.core.ports import AgentDialect, BadFrame, CallerCodec
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past
from telephony.bridge.core.ulaw import BYTES_PER_MS, silence

MOST_BAD_FRAMES = 20

MakeDialect = Callable[[StreamClock], AgentDialect]


class PhoneCall:
    """Send what is in `to_caller`, `to_agent` and `actions`, each in order, and empty them.

    The lists stay the same; only `change_agent` replaces one.
    """

    def __init__(
        self, briefing: Briefing, *, codec: CallerCodec, make_dialect: MakeDialect, past: Sequence[Past] = ()
    ) -> None:
        """`past`: the conversation before, if the caller returns from a transfer."""
        self._clock = StreamClock()
        self._dialect = make_dialect(self._clock)
        self._read = codec.read
        self._hear = self._dialect.hear
        self._playout = Playout(codec, self._clock)
        self._conversation = Conversation(
            briefing, agent=self._dialect, playout=self._playout, clock=self._clock, past=past
        )
        self._timeline = self._conversation.timeline
        self.to_caller = codec.frames
        self.to_agent = self._dialect.frames
        self.actions = self._timeline.actions
        self.has_second_start = False
        self._bad_frames = 0
        self._bad_agent_frames = 0

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
            self._clock.loud_ms = self._clock.end_ms

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
        now_ms = conversation.agent_frame_ms = conversation.now_ms
        try:
            received = self._dialect.receive(text)
            if isinstance(received, tuple):
                item, payload = received
                conversation.response_frame_ms = now_ms
                if item.has_begun:  # the hot path
                    conversation.audio_ms = now_ms
                    self._playout.add(item, payload)
                else:
                    conversation.agent_audio(item, payload)
                return
        except ValueError:  # BadFrame, or audio that is not base64
            received = None
            self._bad_agent_frame()
        if self._dialect.is_about_response(text):
            conversation.response_frame_ms = now_ms
        if received is not None:
            conversation.receive(received)

    def link_opened(self, was_idle: bool = False) -> None:
        """The provider's websocket is open; nothing has been received yet. `was_idle`: since before the call."""
        self._bad_agent_frames = 0
        self._conversation.link_opened(was_idle=was_idle)

    def link_lost(self, loss: LinkLoss) -> None:
        """The provider's websocket was closed, refused, or cannot be reached."""
        if self._conversation.is_over:
            return
        if self._dialect.is_fatal(loss):
            loss = LinkLoss(loss.code, loss.reason, is_fatal=True)
        elif loss.wait_ms is None:
            loss = replace(loss, wait_ms=self._dialect.wait_ms(loss))
        self._conversation.link_lost(loss)

    def change_agent(self, make_dialect: MakeDialect) -> None:
        """The answer to FailOver: another provider plays the agent, whose link is opened next."""
        if self._conversation.is_over:
            return
        self._dialect = make_dialect(self._clock)
        self._hear = self._dialect.hear
        self.to_agent = self._dialect.frames
        self._conversation.change_agent(self._dialect)

    def tool_finished(self, tool_call_id: str, result: ToolResult) -> None:
        """The shell calls this once for every RunTool, however the tool ended and however late."""
        if not self._conversation.is_over:
            self._conversation.tool_finished(tool_call_id, result)

    def note(self, text: str) -> None:
        """Something became known outside the tools, for the agent to tell the caller."""
        if not self._conversation.is_over:
            self._conversation.note(text)

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
            case StreamStarted():
                self.has_second_start = True
                self.caller_gone("second start")

    def _bad_frame(self) -> None:
        self._bad_frames += 1
        if self._bad_frames == MOST_BAD_FRAMES:
            self.caller_gone("bad frames")

    def _bad_agent_frame(self) -> None:
        self._bad_agent_frames += 1
        if self._bad_agent_frames == MOST_BAD_FRAMES:
            self._conversation.link_unusable("bad frames")
