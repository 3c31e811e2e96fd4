"""One phone call between a caller and an agent, whoever plays it: what happens is told here, what to do follows.

No clock: `time_passed` brings the time, ten times a second, and every deadline is an alarm on it.
"""

from __future__ import annotations

from sessions.briefing import Briefing
from sessions.end_reasons import EndReason
from sessions.facts import TurnInterrupted, UsageReported
from sessions.outcomes import EndCall, ToolResult, Transfer

from . import events
from .actions import CloseCall, CloseLink, FallBack, FollowUp, HandOver, HangUp, LinkLoss, RunTool
from .agent_item import AgentItem
from .alarms import Alarm, Alarms
from .answer_owed import AnswerOwed
from .barge_in import interrupt
from .caller_silence import CallerSilence
from .farewell import Ending, Farewell
from .link_keeper import LinkKeeper
from .patience import LOOK_AGAIN_MS, Patience
from .playout import Playout
from .ports import AgentLine
from .speech import Purpose
from .stream_clock import StreamClock
from .timeline import Timeline
from .transcript import Transcript
from .turn_meter import TurnMeter
from .ulaw import soft_tone

ANSWER_AFTER_MS = 4_000
MOST_FAILURES = 2
TONE = soft_tone()


class Conversation:
    """The state of the call, and every decision in it. What comes of them is on `timeline`."""

    def __init__(self, briefing: Briefing, *, agent: AgentLine, playout: Playout, clock: StreamClock) -> None:
        limits = briefing.limits
        self._briefing = briefing
        self._phrases = briefing.phrases
        self._agent = agent
        self._playout = playout
        self._clock = clock
        self.is_over = False
        self.now_ms = 0
        self.agent_frame_ms = 0
        self._audio_ms = 0
        self._has_time = False
        self.timeline = Timeline(clock)
        self._alarms = Alarms()
        self._link = LinkKeeper(self._alarms, self.timeline.act)
        self._silence = CallerSilence(
            self._alarms, reprompt_after_ms=limits.reprompt_after_ms, goodbye_after_ms=limits.goodbye_after_ms
        )
        self._patience = Patience(self._alarms)
        self._farewell = Farewell(self._alarms)
        self._owed = AnswerOwed()
        self._transcript = Transcript(self.timeline.record)
        self._meter = TurnMeter()
        self._tools: dict[str, int] = {}  # running → how often the caller had begun to speak when it was asked for
        self._turns = 0
        self._speeches = 0
        self._failures = 0
        self._caller_is_speaking = False
        self._was_ready = False
        self._is_guarding = briefing.protects_greeting and bool(briefing.phrases.greeting)
        self._guarded_turns = 0

    # Time

    def time_passed(self, now_ms: int) -> None:
        self.now_ms = now_ms
        if not self._has_time:
            self._has_time = True
            self._alarms.set(Alarm.LONGEST, self._briefing.limits.longest_call_ms)
            self._link.clock_started(now_ms)
            self._settle()
        if self._playout.tick():
            self.timeline.happened("echoes_lost")
            self._heard_more()
        if now_ms >= self._alarms.next_ms:
            for alarm in self._alarms.take_due(now_ms):
                if not self.is_over:
                    self._went_off(alarm)
            self._settle()

    def _went_off(self, alarm: Alarm) -> None:
        now_ms = self.now_ms
        match alarm:
            case Alarm.CONNECT:
                self._agent.link_closed()
                if not self._link.try_took_too_long(now_ms):
                    self._close(EndReason.PROVIDER_FAILED, FallBack())
            case Alarm.RECOVER:
                self._link.try_again(now_ms)
            case Alarm.ANSWER:
                self._agent.answer_overdue()
            case Alarm.TONE:
                # An agent who speaks no faster than the phone plays leaves nothing unheard between two frames.
                is_quiet = self._playout.is_idle and now_ms - self._audio_ms >= LOOK_AGAIN_MS
                if self._patience.tone_is_due(now_ms, is_quiet=is_quiet):
                    self._play_tone()
            case Alarm.STALL:
                if self._patience.has_stalled(now_ms, last_frame_ms=self.agent_frame_ms):
                    self.link_unusable("stalled")
            case Alarm.FILLER:
                self._fill_in()
            case Alarm.REPROMPT:
                self._silence.asked()
                self._agent.respond(Purpose.REPROMPT, self._phrases.reprompt)
            case Alarm.GOODBYE:
                self._give_up_on_caller()
            case Alarm.FAREWELL:
                self._part()
            case Alarm.LONGEST:
                self._farewell.begin(now_ms, Ending(EndReason.TOO_LONG, HangUp(), is_firm=True))
                self._agent.respond(Purpose.GOODBYE, self._phrases.time_goodbye)
            case Alarm.ROLL_OVER:
                self._roll_over()

    def _settle(self) -> None:
        """After anything happened: who waits for whom, and whether the call may end now."""
        if self.is_over or not self._has_time:
            return
        now_ms, agent = self.now_ms, self._agent
        is_playing = not self._playout.is_idle
        is_working = agent.is_due or bool(self._tools) or not agent.is_ready
        if self._is_guarding and not is_working and not is_playing:
            self._greeting_was_heard()
            is_working = agent.is_due
        is_quiet = not (is_working or is_playing or self._caller_is_speaking or self._farewell.ending)
        self._silence.update(now_ms, is_idle=is_quiet)
        self._patience.update(
            now_ms,
            caller_waits=is_working and not self._caller_is_speaking,
            provider_is_due=agent.is_ready and agent.is_due and not self._caller_is_speaking,
        )
        more_is_due = agent.is_due or bool(self._tools)
        unheard_ms = max(1, self._playout.unheard_ms) if is_playing else 0
        if self._farewell.was_heard(now_ms, more_is_due=more_is_due, unheard_ms=unheard_ms):
            self._part()

    # The caller

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
        self._guarded_turns += self._is_guarding
        if not self._is_guarding:
            self._interrupt(server_stops_itself=False)
        if not self._agent.is_ready:
            self._owed.is_owed = True
        else:
            self._agent.caller_typed(text)
            if not self._is_guarding:
                self._agent.respond(Purpose.ANSWER)
        self._settle()

    def caller_hung_up(self) -> None:
        self._close(EndReason.CALLER_HUNG_UP, HangUp())

    def caller_gone(self, why: str) -> None:
        self.timeline.happened("stream_lost", why=why[:80])
        self._close(EndReason.STREAM_LOST, HangUp())

    def hang_up(self, reason: EndReason) -> None:
        self._close(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp())

    def _heard_more(self) -> None:
        answered = self._meter.heard(at_ms=self._clock.now_ms, position=self._playout.confirmed_bytes)
        if answered is not None:
            self.timeline.record(answered)
        if self._playout.is_idle:
            self._settle()

    def _caller_was_active(self) -> None:
        self._silence.caller_was_active()
        self._agent.forget(Purpose.REPROMPT, Purpose.FILLER)
        if self._farewell.caller_was_active():
            self._agent.forget(Purpose.GOODBYE)
            self.timeline.happened("farewell_interrupted")

    def _interrupt(self, *, server_stops_itself: bool) -> None:
        heard_ms = interrupt(self._playout, self._agent, self._transcript, server_stops_itself=server_stops_itself)
        if heard_ms is not None:
            self.timeline.record(TurnInterrupted(self._turns, self._clock.now_ms, heard_ms))

    # The agent

    def agent_audio(self, item: AgentItem, payload: str) -> None:
        """The hot path. Raises ValueError when it is not base64."""
        self._audio_ms = self.now_ms
        if not item.has_begun:
            item.has_begun = True
            self._transcript.agent_began(
                item.item_id, at_ms=self._clock.now_ms + self._playout.unheard_ms, turn=self._turns
            )
            self._meter.audio_came(at_ms=self._clock.now_ms, position=self._playout.received_bytes)
        self._playout.add(item, payload)

    def receive(self, event: events.AgentEvent) -> None:
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
                self._meter.speech_stopped(at_ms=at_ms, noticed_ms=self._clock.now_ms)
                self._expect_answer()
            case events.TurnCommitted(item_id):
                self._turn_committed(item_id)
            case events.CallerTranscribed(item_id, text):
                self._transcript.caller_said(item_id, text, at_ms=self._clock.now_ms, turn=self._turns)
            case events.ResponseBegan():
                self._alarms.cancel(Alarm.ANSWER)
            case events.ResponseRefused(code):
                self.timeline.happened("provider_error", code=code)
                self._expect_answer()
            case events.ResponseEnded():
                self._response_ended(event)
            case events.ToolRequested(call_id, name, arguments):
                self._tool_requested(call_id, name, arguments)
            case events.UsageSeen(source, usage):
                is_hearing = source == "transcription"
                model = self._briefing.transcription_model if is_hearing else self._briefing.model
                self.timeline.record(UsageReported(source, model, usage))
            case events.Complaint(kind, code):
                self.timeline.happened(kind, code=code)
            case events.AgentReady():
                self._agent_ready()
            case events.LinkUnusable(reason, is_fatal):
                self.link_unusable(reason, is_fatal=is_fatal)
        self._settle()

    def _speech_started(self, item_id: str, at_ms: int) -> None:
        self._speeches += 1
        self._caller_is_speaking = True
        self._caller_was_active()
        self._meter.speech_started()
        self._transcript.caller_began(item_id, at_ms=at_ms, turn=self._turns + 1)
        if self._briefing.turn_detection.interrupts and not self._is_guarding:
            self._interrupt(server_stops_itself=True)

    def _turn_committed(self, item_id: str) -> None:
        self._caller_is_speaking = False
        self._turns += 1
        self._guarded_turns += self._is_guarding
        self._owed.turn_committed(item_id)
        self._meter.committed(self._turns)
        self._expect_answer()

    def _expect_answer(self) -> None:
        if not self._is_guarding:
            self._alarms.set(Alarm.ANSWER, self.now_ms + ANSWER_AFTER_MS)

    def _response_ended(self, event: events.ResponseEnded) -> None:
        if event.outcome is not events.Outcome.FAILED:
            self._failures = 0
            self._owed.answered()
            return
        self._failures += 1
        self.timeline.happened("response_failed", code=event.code)
        if self._failures > MOST_FAILURES:
            self._agent_failed(EndReason.PROVIDER_FAILED)
        elif self._failures == MOST_FAILURES:
            self._agent.respond(Purpose.MISSED, self._phrases.missed)
        else:
            self._agent.respond(event.purpose, event.say)

    def _greeting_was_heard(self) -> None:
        self._is_guarding = False
        self._agent.release_greeting()
        if self._guarded_turns and not self._caller_is_speaking:
            self._agent.respond(Purpose.ANSWER)

    def _play_tone(self) -> None:
        tone = AgentItem("tone", is_local=True)
        self._playout.add(tone, TONE)
        self._playout.complete(tone)
        self.timeline.happened("tone_played")

    # Tools and the end

    def _tool_requested(self, call_id: str, name: str, arguments: str) -> None:
        self._tools[call_id] = self._speeches
        self._transcript.tool_asked(call_id, name, arguments, at_ms=self._clock.now_ms)
        self.timeline.act(RunTool(call_id, name, arguments, self._turns))
        if Alarm.FILLER not in self._alarms:
            self._alarms.set(Alarm.FILLER, self.now_ms + self._briefing.limits.filler_after_ms)

    def tool_finished(self, call_id: str, result: ToolResult) -> None:
        speeches = self._tools.pop(call_id, None)
        if speeches is None:
            return
        if not self._tools:
            self._alarms.cancel(Alarm.FILLER)
            self._agent.forget(Purpose.FILLER)
        self._transcript.tool_answered(call_id, result.output)
        # Whoever has spoken since the tool was asked for has not finished with us.
        may_end = speeches == self._speeches and not self._caller_is_speaking
        match result.then:
            case EndCall() if may_end:
                self._farewell.begin(self.now_ms, Ending(EndReason.AGENT_HUNG_UP, HangUp()))
            case Transfer(target_id) if may_end:
                self._farewell.begin(self.now_ms, Ending(EndReason.TRANSFERRED, HandOver(target_id)))
        self._owed.is_owed |= not self._agent.is_ready
        self._agent.answer_tool(call_id, result.output, is_farewell=result.then is not None and may_end)
        self._settle()

    def _fill_in(self) -> None:
        """A tool is slow: say so, unless someone is speaking anyway."""
        if self._caller_is_speaking or not self._playout.is_idle:
            self._alarms.set(Alarm.FILLER, self.now_ms + LOOK_AGAIN_MS)
        else:
            self._agent.respond(Purpose.FILLER, self._phrases.filler)

    def _give_up_on_caller(self) -> None:
        if self._agent.is_due or not self._playout.is_idle:
            self._alarms.set(Alarm.GOODBYE, self.now_ms + LOOK_AGAIN_MS)
            return
        self._farewell.begin(self.now_ms, Ending(EndReason.CALLER_SILENT, HangUp()))
        self._agent.respond(Purpose.GOODBYE, self._phrases.silence_goodbye)

    def _part(self) -> None:
        ending = self._farewell.ending
        if ending is not None:
            self._close(ending.reason, ending.follow_up)

    def _agent_failed(self, reason: EndReason) -> None:
        """Whoever was being seen off still is; everyone else is looked after without the agent."""
        self._part()
        self._close(reason, FallBack())

    def _close(self, reason: EndReason, follow_up: FollowUp) -> None:
        if self.is_over:
            return
        for cut in self._playout.abandon():
            if cut.is_missing_something and not cut.item.is_local:
                self._transcript.cut(cut.item.item_id, heard_ms=cut.heard_ms, received_ms=cut.received_ms)
        self.is_over = True
        self.timeline.act(CloseCall(reason, follow_up))

    # The link

    def link_unusable(self, reason: str, *, is_fatal: bool = False) -> None:
        """The socket is up, but no good."""
        self.timeline.act(CloseLink())
        self.link_lost(LinkLoss(None, reason, is_fatal))

    def link_lost(self, loss: LinkLoss) -> None:
        self.timeline.happened("agent_lost", code=loss.code, reason=loss.reason[:80])
        self._owed.link_lost(was_due=self._agent.is_ready and self._agent.is_due, was_speaking=self._caller_is_speaking)
        self._agent.link_closed()
        self._playout.finish()
        self._caller_is_speaking = False
        self._alarms.cancel(Alarm.ANSWER, Alarm.STALL, Alarm.ROLL_OVER)
        if loss.is_fatal:
            self._agent_failed(EndReason.PROVIDER_REFUSED)
        elif self._link.lost(self.now_ms):
            self._patience.link_lost(self.now_ms)
            self._settle()
        else:
            self._agent_failed(EndReason.PROVIDER_FAILED)

    def _agent_ready(self) -> None:
        was_ready, self._was_ready = self._was_ready, True
        self._link.ready(self.now_ms)
        self._alarms.set(Alarm.ROLL_OVER, self.now_ms + self._briefing.limits.roll_over_after_ms)
        self.timeline.happened("agent_resumed" if was_ready else "agent_ready")
        if was_ready:
            self._agent.replay(self._transcript.past())
        lost_turn = self._owed.settle()
        if not self._transcript.has_agent_spoken and self._phrases.greeting:
            self._agent.respond(Purpose.GREETING, self._phrases.greeting)
        elif lost_turn is not None and not self._tools:
            if lost_turn and not self._transcript.is_known(lost_turn):
                self._agent.respond(Purpose.MISSED, self._phrases.missed)
            else:
                self._agent.respond(Purpose.ANSWER)
        self._agent.let_caller_in()

    def _roll_over(self) -> None:
        """Before the provider ends the session, at a moment when nobody notices."""
        is_busy = self._caller_is_speaking or self._tools or self._agent.is_due or self._farewell.ending
        if is_busy or not self._playout.is_idle:
            self._alarms.set(Alarm.ROLL_OVER, self.now_ms + LOOK_AGAIN_MS)
            return
        self.timeline.happened("session_renewed")
        self._agent.link_closed()
        self._link.renew(self.now_ms)
