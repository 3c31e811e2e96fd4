"""One phone call between a caller and an agent of any provider: events come in, actions and frames go out.

No clock: `time_passed` brings the time, ten times a second, and every deadline is an alarm on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessions.calls.briefing import Briefing
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import CostReported, TurnInterrupted, UsageReported
from sessions.calls.outcomes import EndCall, ToolResult, Transfer

from . import events
from .actions import CloseCall, CloseLink, FallBack, FollowUp, HandOver, HangUp, LinkLoss, RunTool, Timeline
from .agent_item import AgentItem, is_heard_now, is_too_quiet
from .alarms import Alarm, Alarms
from .barge_in import interrupt
from .events import Purpose
from .farewell import Ending, Farewell
from .greeting import GreetingGuard, play_kept_greeting
from .ports import AgentDialect, Ledger
from .reconnection import Reconnection
from .retries import Retries
from .silence import LOOK_AGAIN_MS, CallerSilence, ResponseWait
from .state_bounds import StateBounds
from .stream_clock import StreamClock
from .tools import EndedTool, RunningTools
from .transcript import Past, Transcript
from .turn_meter import TurnMeter
from .ulaw import soft_tone

TONE = soft_tone()


class Conversation:
    """The state of the call, and every decision in it. The results are on `timeline`."""

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
        self._meter = TurnMeter()
        self._reconnection = Reconnection(
            briefing, agent=agent, transcript=self._transcript, alarms=self._alarms, timeline=self.timeline
        )
        self._tools = RunningTools(briefing, alarms=self._alarms, transcript=self._transcript, timeline=self.timeline)
        self._turns = 0
        self._retries = Retries(agent, briefing.phrases, alarms=self._alarms)
        self._caller_is_speaking = False
        self._notes: list[str] = []
        self._has_agent_left = False
        self._guard = GreetingGuard(agent, is_on=briefing.protects_greeting and bool(briefing.phrases.greeting))

    # Time

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
            at_ms, text = self._clock.now_ms, self._phrases.greeting
            play_kept_greeting(audio, text, playout=self._playout, transcript=self._transcript, at_ms=at_ms)
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
                if self._wait.tone_is_due(now_ms, is_quiet=is_quiet):
                    self._playout.interject(TONE)
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
                self._farewell.begin(now_ms, Ending(EndReason.TOO_LONG, HangUp(), is_firm=True))
                self._agent.respond(Purpose.GOODBYE, self._phrases.time_goodbye)
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

    @property
    def _is_heard(self) -> bool:
        """The caller hears the agent or a tone."""
        return not self._playout.is_idle or self.now_ms - self.audio_ms < LOOK_AGAIN_MS

    def _settle(self) -> None:
        """After every event: update the deadlines, and end the call if it may end now."""
        if self.is_over or not self._has_time:
            return
        now_ms, agent = self.now_ms, self._agent
        is_playing = not self._playout.is_idle
        is_working = self._is_due or bool(self._tools) or not agent.is_ready
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
            provider_is_due=agent.is_ready and agent.is_due and not self._caller_is_speaking,
        )
        self._bounds.update(
            now_ms,
            expects_own_answer=agent.expects_own_answer,
            has_response=agent.is_ready and agent.has_response and not self._caller_is_speaking,
            awaits_truncation=agent.awaits_truncation,
            awaits_update=agent.awaits_update,
            caller_waits=is_working and not self._caller_is_speaking,
        )
        outstanding_ms = max(1, self._playout.outstanding_ms) if is_playing else 0
        if self._farewell.was_heard(
            now_ms, more_is_due=self._is_due or bool(self._tools), outstanding_ms=outstanding_ms
        ):
            self._end_after_farewell()

    @property
    def _is_due(self) -> bool:
        """A response is being made, or will be requested when the provider can take it."""
        return self._agent.is_due or self._retries.is_waiting

    # The caller

    @property
    def is_caller_speaking(self) -> bool:
        return self._caller_is_speaking

    def mark_echoed(self, name: str) -> None:
        if self._playout.echoed(name):
            self._heard_more()

    def key_pressed(self, digit: str) -> None:
        """A key is a turn of the caller's, and interrupts as speech does."""
        self._caller_was_active()
        self._turns += 1
        wish = " and asks for a person" if digit == "0" else ""
        text = f"[The caller pressed {digit}{wish}]"
        self._transcript.caller_said(f"key_{self._turns}", text, at_ms=self._clock.now_ms, turn=self._turns)
        self._guard.turn_taken()
        if not self._guard.is_on:
            self._interrupt(server_stops_itself=False)
        self._reconnection.pending_answer.is_pending |= not self._agent.is_ready
        if self._agent.is_ready:
            self._agent.caller_typed(text)
            if not self._guard.is_on:
                self._agent.respond(Purpose.ANSWER)
        self._settle()

    def note(self, text: str) -> None:
        """The agent is to tell the caller this, once nobody speaks and nothing else is under way."""
        self._notes.append(text)
        self._settle()

    def _tell_notes(self) -> None:
        for text in self._notes:
            self._agent.caller_typed(f"[Note for you: {text} Tell the caller.]")
            self.timeline.happened("note_given")
        self._notes.clear()
        self._agent.respond(Purpose.ANSWER)

    def _heard_more(self) -> None:
        turn = self._meter.heard(at_ms=self._clock.now_ms, position=self._playout.confirmed_bytes)
        if turn is not None:
            self.timeline.record(turn)
        if self._playout.is_idle:
            self._settle()

    def _caller_was_active(self) -> None:
        self._silence.caller_was_active()
        self._forget(Purpose.REPROMPT, Purpose.FILLER)
        if self._farewell.caller_was_active():
            self._forget(Purpose.GOODBYE)
            self.timeline.happened("farewell_interrupted")

    def _forget(self, *purposes: Purpose) -> None:
        self._agent.forget(*purposes)
        self._retries.forget(*purposes)

    def _interrupt(self, *, server_stops_itself: bool) -> None:
        heard_ms = interrupt(self._playout, self._agent, self._transcript, server_stops_itself=server_stops_itself)
        if heard_ms is not None:
            self.timeline.record(TurnInterrupted(self._turns, self._clock.now_ms, heard_ms))

    # The agent

    def agent_audio(self, item: AgentItem, payload: str) -> None:
        """Audio of an item, from its first frame on. Raises ValueError when it is not base64."""
        self.audio_ms = self.now_ms
        if not item.has_begun:
            if is_heard_now(item, payload):
                self._transcript.agent_began(
                    item.line_id, at_ms=self._clock.now_ms + self._playout.outstanding_ms, turn=self._turns
                )
                self._meter.audio_came(at_ms=self._clock.now_ms, position=self._playout.received_bytes)
            elif is_too_quiet(item):
                return
        self._playout.add(item, payload)

    def receive(self, happened: list[events.AgentEvent]) -> None:
        """Process the events of one frame from the provider."""
        for event in happened:
            self._happens(event)
        self._settle()

    def _happens(self, event: events.AgentEvent) -> None:
        match event:
            case events.AgentAudio(item, payload):
                self.agent_audio(item, payload)
            case events.AudioCompleted(item):
                self._playout.complete(item)
            case events.AgentText(item_id, text, is_whole):
                self._transcript.agent_said(item_id, text, is_whole=is_whole)
            case events.SpeechStarted(item_id, at_ms):
                self._speech_started(item_id, at_ms)
            case events.SpeechStopped(_, at_ms):
                self._caller_is_speaking = False
                self._bounds.speech_stopped(self.now_ms)
                self._meter.speech_stopped(at_ms=at_ms, noticed_ms=self._clock.now_ms)
                self._expect_answer()
            case events.TurnCommitted(item_id):
                self._turn_committed(item_id)
            case events.CallerTranscribed(item_id, text):
                self._transcript.caller_said(item_id, text, at_ms=self._clock.now_ms, turn=self._turns)
            case events.ResponseBegan():
                self._bounds.response_began(self.now_ms)
            case events.ResponseRefused(code):
                self.timeline.happened("provider_error", code=code)
                self._expect_answer()
            case events.ResponseEnded():
                self._response_ended(event)
            case events.ToolRequested():
                self._tool_requested(event)
            case events.ToolLost(name):
                self.timeline.happened("tool_call_lost", tool=self._tools.shown(name))
            case events.UsageSeen(source, usage):
                is_hearing = source == "transcription"
                model = self._briefing.transcription_model if is_hearing else self._briefing.model
                self.timeline.record(UsageReported(source, model, usage))
            case events.Complaint(kind, code):
                self.timeline.happened(kind, code=code)
            case events.PlayedByProvider(mark):
                self.mark_echoed(mark)
            case events.CostSeen(source, usd):
                self.timeline.record(CostReported(source, usd))
            case events.AgentLeft(reason, code):
                self._agent_left(reason, code)
            case events.AgentReady():
                self._reconnection.ready(self.now_ms, are_tools_running=bool(self._tools))
            case events.LinkUnusable(reason, is_fatal, wait_ms):  # pragma: no branch - the last one
                self.link_unusable(reason, is_fatal=is_fatal, wait_ms=wait_ms)

    def _speech_started(self, item_id: str, at_ms: int) -> None:
        self._tools.caller_spoke()
        self._caller_is_speaking = True
        self._bounds.speech_started(self.now_ms)
        self._caller_was_active()
        self._meter.speech_started()
        self._transcript.caller_began(item_id, at_ms=at_ms, turn=self._turns + 1)
        if self._briefing.turn_detection.interrupts and not self._guard.is_on:
            self._interrupt(server_stops_itself=True)

    def _turn_committed(self, item_id: str) -> None:
        self._caller_is_speaking = False
        self._bounds.turn_taken()
        self._turns += 1
        self._guard.turn_taken()
        self._forget(Purpose.MISSED)
        self._retries.forget(Purpose.ANSWER)  # the next response answers both turns
        self._reconnection.pending_answer.turn_committed(item_id)
        self._meter.committed(self._turns)
        self._expect_answer()

    def _expect_answer(self) -> None:
        if not self._guard.is_on:
            self._bounds.expect_answer(self.now_ms)

    def _response_ended(self, event: events.ResponseEnded) -> None:
        self._transcript.cut_to_heard()
        if event.outcome in (events.Outcome.COMPLETED, events.Outcome.CANCELLED):
            if event.is_audible:
                self._retries.heard()
            self._reconnection.pending_answer.answered()
            return
        kind = "response_failed" if event.outcome is events.Outcome.FAILED else "response_not_heard"
        self.timeline.happened(kind, code=event.code, purpose=event.purpose, wait_ms=event.wait_ms)
        if self._is_wanted(event.purpose) and not self._retries.repair(self.now_ms, event):
            self._agent_failed(EndReason.PROVIDER_FAILED)
        if self._retries.is_waiting:
            self._alarms.cancel(Alarm.ANSWER)

    def _is_wanted(self, purpose: Purpose) -> bool:
        """Whether a response that the caller did not hear is still needed."""
        match purpose:
            case Purpose.REPROMPT:
                return not self._caller_is_speaking
            case Purpose.FILLER:
                return bool(self._tools) and not self._caller_is_speaking
            case Purpose.GOODBYE:
                return self._farewell.ending is not None
            case _:
                return True

    # Tools and the end

    def _tool_requested(self, tool: events.ToolRequested) -> None:
        ended = self._tools.request(
            tool.request_id,
            tool.name,
            tool.arguments,
            caller_turns=self._turns,
            now_ms=self.now_ms,
            at_ms=self._clock.now_ms,
        )
        if ended is not None:
            self._tool_ended(ended)

    def tool_finished(self, request_id: str, result: ToolResult) -> None:
        ended = self._tools.finish(request_id, result, now_ms=self.now_ms)
        if ended is not None:
            self._tool_ended(ended)
            self._settle()

    def waiting_tools(self) -> list[RunTool]:
        """The call is over: tools that the agent requested and that have not begun."""
        return self._tools.take_waiting()

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

    def _end_for_silence(self) -> None:
        if self._is_due or not self._playout.is_idle:
            self._alarms.set(Alarm.GOODBYE, self.now_ms + LOOK_AGAIN_MS)
            return
        self._farewell.begin(self.now_ms, Ending(EndReason.CALLER_SILENT, HangUp()))
        self._agent.respond(Purpose.GOODBYE, self._phrases.silence_goodbye)

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

    def _roll_over(self) -> None:
        is_busy = self._caller_is_speaking or self._tools or self._is_due or self._farewell.ending
        if is_busy or not self._playout.is_idle:
            self._alarms.set(Alarm.ROLL_OVER, self.now_ms + LOOK_AGAIN_MS)
        else:
            self._reconnection.renew(self.now_ms)
