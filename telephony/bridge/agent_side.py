"""The agent's side of a call, as the shell sees it: the provider's text frames in, text frames and actions out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import ToolResult
from telephony.bridge.core.actions import FallBack, HangUp, LinkLoss, RunTool
from telephony.bridge.core.conversation import Conversation
from telephony.bridge.core.ports import AgentDialect, Ledger
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past

MOST_BAD_FRAMES = 20

MakeDialect = Callable[[StreamClock], AgentDialect]


class AgentSide(ABC):
    """Send what is in `to_agent`, `to_caller` and `actions`, each in order, and empty them. It never raises.

    The lists stay the same; only `change_agent` replaces one.
    """

    __slots__ = (
        "_bad_agent_frames",
        "_clock",
        "_conversation",
        "_dialect",
        "_playout",
        "_timeline",
        "actions",
        "to_agent",
        "to_caller",
    )

    def __init__(
        self,
        briefing: Briefing,
        *,
        clock: StreamClock,
        playout: Ledger,
        make_dialect: MakeDialect,
        past: Sequence[Past] = (),
    ) -> None:
        self._clock = clock
        self._dialect = make_dialect(clock)
        self._playout = playout
        self._conversation = Conversation(briefing, agent=self._dialect, playout=playout, clock=clock, past=past)
        self._timeline = self._conversation.timeline
        self.to_agent = self._dialect.frames
        self.to_caller: list[str] = []
        self.actions = self._timeline.actions
        self._bad_agent_frames = 0

    @property
    def is_over(self) -> bool:
        return self._conversation.is_over

    @abstractmethod
    def time_passed(self, now_ms: int) -> None:
        """Ten times a second: milliseconds since the call began, never going back."""

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
        self.to_agent = self._dialect.frames
        self._conversation.change_agent(self._dialect)

    def tool_finished(self, tool_call_id: str, result: ToolResult) -> None:
        """The shell calls this once for every RunTool, however the tool ended and however late."""
        if not self._conversation.is_over:
            self._conversation.tool_finished(tool_call_id, result)

    def say(self, text: str) -> None:
        """The caller typed, where he can."""
        if not self._conversation.is_over:
            self._conversation.caller_typed("typed", text)

    def silence_agent(self) -> None:
        """The caller wants to hear no more of what the agent is saying, by a button."""
        if not self._conversation.is_over:
            self._conversation.silence_agent()

    def note(self, text: str) -> None:
        """Something became known outside the tools, for the agent to tell the caller."""
        if not self._conversation.is_over:
            self._conversation.note(text)

    def hint(self, text: str) -> None:
        """The agent knows this from now on. The caller does not hear it, and it is no reason to speak."""
        if not self._conversation.is_over:
            self._conversation.hint(text)

    def hand_over(self, target_id: str, *, say: str) -> None:
        """A person takes the call: the agent says these words, then the caller is transferred."""
        if not self._conversation.is_over:
            self._conversation.hand_over(target_id, say=say)

    def show_lines(self, shows: bool = True) -> None:
        """Whether somebody reads along: then lines are shown as they grow."""
        self._conversation.show_lines(shows)

    def waiting_tools(self) -> list[RunTool]:
        """After the end: tools that the agent requested and that have not begun, in order. Returned once."""
        return self._conversation.waiting_tools()

    def hang_up(self, reason: EndReason) -> None:
        """End the call from outside: an operator, or a server that stops."""
        self._conversation.close(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp())

    def _bad_agent_frame(self) -> None:
        self._bad_agent_frames += 1
        if self._bad_agent_frames == MOST_BAD_FRAMES:
            self._conversation.link_unusable("bad frames")
