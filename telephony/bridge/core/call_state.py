"""The state of a call: what is going on, the link to the provider, and the end."""

from __future__ import annotations

from collections.abc import Sequence

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import TurnInterrupted
from sessions.calls.spending import Spending

from .actions import CloseCall, CloseLink, FallBack, FollowUp, HangUp, LinkLoss, Timeline
from .alarms import Alarms
from .barge_in import interrupt
from .events import Purpose
from .farewell import Ending, Farewell
from .greeting import GreetingGuard
from .line_starts import LineStarts
from .ports import AgentDialect, Ledger
from .reconnection import Reconnection
from .retries import Retries
from .silence import LOOK_AGAIN_MS, CallerSilence, ResponseWait
from .state_bounds import StateBounds
from .stream_clock import StreamClock
from .tools import RunningTools
from .transcript import Past, Transcript
from .turn_meter import TurnMeter


class CallState:
    """What the decisions of a conversation look at, and what they lead to. The results are on `timeline`."""

    # Here and in all that a frame touches: a dictionary of so many would take 1.5 KB of each call, and its cold memory
    # costs more time than the work.
    __slots__ = (
        "_agent",
        "_alarms",
        "_bounds",
        "_briefing",
        "_caller_is_speaking",
        "_clock",
        "_farewell",
        "_guard",
        "_has_agent_left",
        "_has_time",
        "_hints",
        "_meter",
        "_notes",
        "_phrases",
        "_playout",
        "_reconnection",
        "_retries",
        "_silence",
        "_spending",
        "_starts",
        "_tools",
        "_transcript",
        "_turns",
        "_wait",
        "agent_frame_ms",
        "audio_ms",
        "caller_loud_ms",
        "is_over",
        "now_ms",
        "response_frame_ms",
        "timeline",
    )

    def __init__(
        self,
        briefing: Briefing,
        *,
        agent: AgentDialect,
        playout: Ledger,
        clock: StreamClock,
        past: Sequence[Past] = (),
    ) -> None:
        self._briefing = briefing
        self._phrases = briefing.phrases
        self._agent = agent
        self._playout = playout
        self._clock = clock
        self.is_over = False
        self.now_ms = 0
        self.agent_frame_ms = 0
        self.response_frame_ms = 0
        self.caller_loud_ms = 0
        self.audio_ms = 0
        self._has_time = False
        self.timeline = Timeline(clock)
        self._alarms = Alarms()
        self._silence = CallerSilence(self._alarms, briefing.limits)
        self._wait = ResponseWait(self._alarms)
        self._bounds = StateBounds(self._alarms)
        self._farewell = Farewell(self._alarms)
        self._transcript = Transcript(self.timeline.record, past=past)
        self._starts = LineStarts(playout=playout, transcript=self._transcript, clock=clock)
        self._meter = TurnMeter()
        self._spending = Spending(briefing.limits.spending)
        self._reconnection = Reconnection(
            briefing, agent=agent, transcript=self._transcript, alarms=self._alarms, timeline=self.timeline
        )
        self._tools = RunningTools(briefing, alarms=self._alarms, transcript=self._transcript, timeline=self.timeline)
        self._turns = 0
        self._retries = Retries(agent, briefing.phrases, alarms=self._alarms)
        self._caller_is_speaking = False
        self._notes: list[str] = []
        self._hints: list[str] = []
        self._has_agent_left = False
        self._guard = GreetingGuard(agent, is_on=briefing.protects_greeting and bool(briefing.phrases.greeting))

    @property
    def _is_heard(self) -> bool:
        """The caller hears the agent or a tone."""
        return not self._playout.is_idle or self.now_ms - self.audio_ms < LOOK_AGAIN_MS

    @property
    def _is_due(self) -> bool:
        """A response is being made, or will be requested when the provider can take it."""
        return self._agent.is_due or self._retries.is_waiting

    def _settle(self) -> None:
        """After every event: update the deadlines, and end the call if it may end now."""
        if self.is_over or not self._has_time:
            return
        now_ms, agent = self.now_ms, self._agent
        is_playing = not self._playout.is_idle
        is_ready = agent.is_ready
        is_working = not is_ready or self._is_due or bool(self._tools)
        if self._guard.is_on and not is_playing and (self._briefing.greeting_audio or not is_working):
            self._guard.release(caller_is_speaking=self._caller_is_speaking)
            is_working = self._is_due
        is_quiet = not (is_working or is_playing or self._caller_is_speaking or self._farewell.ending)
        if self._notes and is_quiet and not self._guard.is_on:
            self._tell_notes()
            is_working = True
        self._silence.update(now_ms, is_idle=is_quiet and not is_working)
        is_line_quiet = self._bounds.is_line_quiet(now_ms, loud_ms=self.caller_loud_ms)
        self._wait.update(
            now_ms,
            caller_waits=is_line_quiet if self._caller_is_speaking else is_working,
            provider_is_due=is_ready and agent.is_due and not self._caller_is_speaking,
        )
        self._bounds.update(
            now_ms,
            expects_own_answer=agent.expects_own_answer,
            has_response=is_ready and agent.has_response and not self._caller_is_speaking,
            awaits_truncation=agent.awaits_truncation,
            awaits_update=agent.awaits_update,
            caller_waits=is_working and not self._caller_is_speaking,
        )
        outstanding_ms = max(1, self._playout.outstanding_ms) if is_playing else 0
        if self._farewell.was_heard(
            now_ms, more_is_due=self._is_due or bool(self._tools), outstanding_ms=outstanding_ms
        ):
            self._end_after_farewell()

    def _heard_more(self) -> None:
        self._starts.heard_more()
        turn = self._meter.heard(at_ms=self._clock.now_ms, position=self._playout.confirmed_bytes)
        if turn is not None:
            self.timeline.record(turn)
        if self._playout.is_idle:
            self._settle()

    def _tell_notes(self) -> None:
        for text in self._notes:
            self._agent.caller_typed(f"[Note for you: {text} Tell the caller.]")
            self.timeline.happened("note_given")
        self._notes.clear()
        self._agent.respond(Purpose.ANSWER)

    def _forget(self, *purposes: Purpose) -> None:
        self._agent.forget(*purposes)
        self._retries.forget(*purposes)

    def _interrupt(self, *, server_stops_itself: bool) -> None:
        heard_ms = interrupt(self._playout, self._agent, self._transcript, server_stops_itself=server_stops_itself)
        self._starts.forget()
        if heard_ms is not None:
            self.timeline.record(TurnInterrupted(self._turns, self._clock.now_ms, heard_ms))

    def _expect_answer(self) -> None:
        if not self._guard.is_on:
            self._bounds.expect_answer(self.now_ms)

    # The link

    def change_agent(self, agent: AgentDialect) -> None:
        """The other provider plays the agent from now on; nothing of the first one was heard."""
        self._agent = agent
        self._guard.change_agent(agent)
        self._retries.change_agent(agent)
        self._reconnection.change_agent(agent, self.now_ms)

    def link_opened(self, *, was_idle: bool) -> None:
        self.agent_frame_ms = self.now_ms
        self._reconnection.was_link_idle = was_idle

    def link_unusable(self, reason: str, *, is_fatal: bool = False, wait_ms: int | None = None) -> None:
        """The socket is open but cannot be used."""
        self.timeline.act(CloseLink())
        self.link_lost(LinkLoss(None, reason, is_fatal, wait_ms))

    def link_lost(self, loss: LinkLoss) -> None:
        if self._has_agent_left:
            self._agent.link_closed()
            self._playout.finish()
            self._settle()
            return
        is_recoverable = self._reconnection.lost(self.now_ms, loss, was_speaking=self._caller_is_speaking)
        self._caller_is_speaking = False
        self._bounds.link_lost()
        if self._retries.is_waiting:
            self._retries.forget(*Purpose)
            self._reconnection.pending_answer.is_pending = True
        self._playout.finish()
        if is_recoverable:
            self._wait.link_lost(self.now_ms)
            self._settle()
        else:
            self._agent_failed(EndReason.PROVIDER_REFUSED if loss.is_fatal else EndReason.PROVIDER_FAILED)

    def session_gone(self) -> None:
        """The provider's session is over, nothing takes its place yet, and the caller was not heard for a while."""
        self._caller_is_speaking = False
        self._bounds.link_lost()
        self._retries.forget(*Purpose)
        self._reconnection.session_gone()
        self._wait.link_lost(self.now_ms)
        self._settle()

    def replace_session(self) -> None:
        """Another session takes its place, which knows nothing yet."""
        self._transcript.cut_all(self._playout.abandon())
        self._starts.forget()
        self.session_gone()
        self._reconnection.link.renew(self.now_ms)

    # The end

    def _end_after_farewell(self) -> None:
        if self._farewell.ending is not None:
            self.close(self._farewell.ending.reason, self._farewell.ending.follow_up)

    def _agent_left(self, reason: EndReason, code: str) -> None:
        """The provider has ended the conversation: so does the call, once the caller has heard what was said."""
        self.timeline.happened("agent_left", code=code[:80])
        self._has_agent_left = True
        self._farewell.begin(self.now_ms, Ending(reason, HangUp(), is_firm=True))

    def _agent_failed(self, reason: EndReason) -> None:
        """A farewell under way still ends the call its own way; otherwise the fallback takes the call."""
        self._end_after_farewell()
        self.close(reason, FallBack())

    def close(self, reason: EndReason, follow_up: FollowUp) -> None:
        """End the call, once. The transcript keeps only what the caller has heard."""
        if self.is_over:
            return
        self._transcript.cut_all(self._playout.abandon())
        self.is_over = True
        self.timeline.act(CloseCall(reason, follow_up))
