"""What happens when time has passed: the greeting at the start, and every alarm that goes off."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sessions.calls.end_reasons import EndReason
from sessions.calls.outcomes import EndCall, Transfer

from . import events
from .actions import HandOver, HangUp
from .alarms import Alarm
from .call_state import CallState
from .events import Purpose
from .farewell import Ending
from .greeting import play_kept_greeting
from .silence import LOOK_AGAIN_MS
from .tools import EndedTool
from .ulaw import soft_tone

TONE = soft_tone()


class Deadlines(CallState, ABC):
    """The conversation as far as nothing but the time decides."""

    __slots__ = ()

    @abstractmethod
    def _happens(self, event: events.AgentEvent) -> None:
        """Process an event of the agent's."""

    def time_passed(self, now_ms: int) -> None:
        self.now_ms = now_ms
        if not self._has_time:
            self._has_time = True
            self._alarms.set(Alarm.LONGEST, self._briefing.limits.longest_call_ms)
            self._reconnection.link.clock_started(now_ms)
            self._greet()
            self._settle()
        if self._playout.tick():
            self.timeline.happened("echoes_lost")
            self._heard_more()
        if now_ms >= self._alarms.next_ms:
            for alarm in self._alarms.take_due(now_ms):
                if not self.is_over:
                    self._went_off(alarm)
            self._settle()

    def _greet(self) -> None:
        """A kept greeting does not wait for the provider."""
        if audio := self._briefing.greeting_audio:
            text, starts = self._phrases.greeting, self._starts
            play_kept_greeting(audio, text, playout=self._playout, transcript=self._transcript, starts=starts)
            self.timeline.happened("greeting_played")

    def _went_off(self, alarm: Alarm) -> None:
        now_ms = self.now_ms
        match alarm:
            case Alarm.CONNECT:
                if not self._reconnection.took_too_long(now_ms):
                    self._agent_failed(EndReason.PROVIDER_FAILED)
            case Alarm.RECOVER:
                self._reconnection.link.try_again(now_ms)
            case Alarm.ANSWER:
                if self._agent.expects_own_answer:
                    self.timeline.happened("answer_overdue")
                self._agent.answer_overdue()
            case Alarm.SPEECH | Alarm.TURN | Alarm.RESPONSE | Alarm.TRUNCATION | Alarm.UPDATE | Alarm.THINKING:
                self._state_lasts_too_long(alarm)
            case Alarm.TONE:
                # An agent that speaks no faster than the phone plays has nothing outstanding between two frames.
                is_quiet = self._playout.is_idle and now_ms - self.audio_ms >= LOOK_AGAIN_MS
                if self._wait.tone_is_due(now_ms, is_quiet=is_quiet) and self._playout.interject(TONE):
                    self.timeline.happened("tone_played")
            case Alarm.STALL:
                if self._wait.has_stalled(now_ms, last_frame_ms=self.agent_frame_ms):
                    self.link_unusable("stalled")
            case Alarm.FILLER:
                self._fill_in()
            case Alarm.TOOL:
                for ended in self._tools.give_up(now_ms):
                    self._tool_ended(ended)
            case Alarm.REPROMPT:
                self._silence.prompted()
                self._agent.respond(Purpose.REPROMPT, self._phrases.reprompt)
            case Alarm.GOODBYE:
                self._end_for_silence()
            case Alarm.FAREWELL:
                self._end_after_farewell()
            case Alarm.LONGEST:
                self._say_time_is_over(EndReason.TOO_LONG)
            case Alarm.RETRY:
                self._retries.wait_is_over()
            case Alarm.ROLL_OVER:  # pragma: no branch - the last one
                self._roll_over()

    def _state_lasts_too_long(self, alarm: Alarm) -> None:
        """The event that should have ended a state does not come (docs/explanation/call.md, the table of states)."""
        now_ms, agent = self.now_ms, self._agent
        match alarm:
            case Alarm.SPEECH if not self._bounds.speech_is_stuck(now_ms):
                pass
            case Alarm.SPEECH:
                self.timeline.happened("speech_end_missing")
                self._caller_is_speaking = False
                agent.end_turn(is_answered=not self._guard.is_on)
                self._guard.turn_taken()
            case Alarm.TURN:
                if not (self._guard.is_on or self._is_due or self._is_heard):
                    self.timeline.happened("turn_missing")
                    agent.respond(Purpose.MISSED, self._phrases.missed)
            case Alarm.RESPONSE:
                is_spoken = agent.is_spoken and self._playout.is_idle
                if self._bounds.response_is_stuck(now_ms, last_frame_ms=self.response_frame_ms, is_spoken=is_spoken):
                    for event in agent.give_up_response():
                        self._happens(event)
            case Alarm.TRUNCATION:
                self.timeline.happened("truncation_unconfirmed")
                agent.truncation_overdue()
            case Alarm.UPDATE:
                self.timeline.happened("session_update_unconfirmed", is_last=int(not agent.update_overdue()))
            case Alarm.THINKING:
                if self._is_heard:
                    self._bounds.look_again(alarm, now_ms)
                else:
                    self.timeline.happened("answer_given_up")
                    self._agent_failed(EndReason.PROVIDER_FAILED)

    def _tool_ended(self, ended: EndedTool) -> None:
        result = ended.result
        if not self._tools:
            self._forget(Purpose.FILLER)
        may_end = ended.was_quiet and not self._caller_is_speaking
        match result.then:
            case EndCall() if may_end:
                self._farewell.begin(self.now_ms, Ending(EndReason.AGENT_HUNG_UP, HangUp()))
            case Transfer(target_id) if may_end:
                self._farewell.begin(self.now_ms, Ending(EndReason.TRANSFERRED, HandOver(target_id)))
        self._reconnection.pending_answer.is_pending |= not self._agent.is_ready
        self._agent.answer_tool(ended.request_id, result.output, is_farewell=result.then is not None and may_end)

    def _fill_in(self) -> None:
        """A tool is slow: say so, unless the caller or the agent is speaking."""
        if self._caller_is_speaking or not self._playout.is_idle:
            self._alarms.set(Alarm.FILLER, self.now_ms + LOOK_AGAIN_MS)
        else:
            self._agent.respond(Purpose.FILLER, self._phrases.filler)

    def _mind_spending(self) -> None:
        if self._spending.is_used_up and not (self._farewell.ending and self._farewell.ending.is_firm):
            self._say_time_is_over(EndReason.BUDGET_USED)

    def _say_time_is_over(self, reason: EndReason) -> None:
        self._farewell.begin(self.now_ms, Ending(reason, HangUp(), is_firm=True))
        self._agent.respond(Purpose.GOODBYE, self._phrases.time_goodbye)

    def _end_for_silence(self) -> None:
        if self._is_due or not self._playout.is_idle:
            self._alarms.set(Alarm.GOODBYE, self.now_ms + LOOK_AGAIN_MS)
            return
        self._farewell.begin(self.now_ms, Ending(EndReason.CALLER_SILENT, HangUp()))
        self._agent.respond(Purpose.GOODBYE, self._phrases.silence_goodbye)

    def _roll_over(self) -> None:
        is_busy = self._caller_is_speaking or self._tools or self._is_due or self._farewell.ending
        if is_busy or not self._playout.is_idle:
            self._alarms.set(Alarm.ROLL_OVER, self.now_ms + LOOK_AGAIN_MS)
        else:
            self._reconnection.renew(self.now_ms)
