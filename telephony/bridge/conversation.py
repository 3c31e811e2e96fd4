"""One phone call between a caller and an agent, whoever plays it: what happens is told here, what to do follows.

No clock: `time_passed` brings the time, ten times a second, and every deadline is an alarm on it.
"""

from __future__ import annotations

from sessions.briefing import Briefing
from sessions.end_reasons import EndReason
from sessions.facts import Fact, SomethingHappened, TurnInterrupted, UsageReported
from sessions.outcomes import EndCall, ToolResult, Transfer

from . import events
from .actions import Action, CloseCall, CloseLink, FallBack, FollowUp, HandOver, HangUp, LinkLoss, Record, RunTool
from .agent_item import AgentItem
from .alarms import Alarm, Alarms
from .caller_silence import CallerSilence
from .events import AgentEvent, Outcome
from .farewell import GUARD_MS, SLACK_MS, Farewell
from .link_keeper import LinkKeeper
from .patience import LOOK_AGAIN_MS, Patience
from .playout import Playout
from .ports import AgentLine
from .speech import Purpose
from .stream_clock import StreamClock
from .transcript import Transcript
from .turn_meter import TurnMeter
from .ulaw import soft_tone

ANSWER_AFTER_MS = 4_000
MOST_FAILURES = 2
TONE = soft_tone()


class Conversation:
    """`actions` is what the shell does next. The state of the call, and every decision in it."""

    def __init__(self, briefing: Briefing, *, agent: AgentLine, playout: Playout, clock: StreamClock) -> None:
        self._briefing = briefing
        self._limits = briefing.limits
        self._phrases = briefing.phrases
        self._agent = agent
        self._playout = playout
        self._clock = clock
        self.actions: list[Action] = []
        self.is_over = False
        self.now_ms = 0
        self._has_time = False
        self.agent_frame_ms = 0
        self.alarms = Alarms()
        self._link = LinkKeeper(self.alarms, self._act)
        self._silence = CallerSilence(
            self.alarms,
            reprompt_after_ms=self._limits.reprompt_after_ms,
            goodbye_after_ms=self._limits.goodbye_after_ms,
        )
        self._patience = Patience(self.alarms)
        self._transcript = Transcript(self._record)
        self._meter = TurnMeter()
        self._farewell: Farewell | None = None
        self._tools: dict[str, int] = {}  # running → how often the caller had begun to speak when it was asked for
        self._turns = 0
        self._speeches = 0
        self._failures = 0
        self._caller_is_speaking = False
        self._was_ready = False
        self._owes_answer = False
        self._missed_turn = ""
        self._is_guarding = briefing.protects_greeting and bool(briefing.phrases.greeting)
        self._guarded_turns = 0

    # Time

    def time_passed(self, now_ms: int) -> None:
        self.now_ms = now_ms
        if not self._has_time:
            self._has_time = True
            self.alarms.set(Alarm.LONGEST, self._limits.longest_call_ms)
            self._link.clock_started(now_ms)
            self._settle()
        if now_ms < self.alarms.next_ms:
            return
        for alarm in self.alarms.take_due(now_ms):
            if not self.is_over:
                self._alarm_went_off(alarm)
        self._settle()

    def _alarm_went_off(self, alarm: Alarm) -> None:
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
                if self._patience.tone_is_due(now_ms, is_quiet=self._playout.is_idle):
                    self._play_tone()
            case Alarm.STALL:
                if self._patience.has_stalled(now_ms, last_frame_ms=self.agent_frame_ms):
                    self.link_unusable("stalled")
            case Alarm.FILLER:
                self._agent.respond(Purpose.FILLER, self._phrases.filler)
            case Alarm.REPROMPT:
                self._silence.asked()
                self._agent.respond(Purpose.REPROMPT, self._phrases.reprompt)
            case Alarm.GOODBYE:
                self._say_goodbye_to_silence()
            case Alarm.FAREWELL:
                self._part()
            case Alarm.LONGEST:
                self._begin_farewell(EndReason.TOO_LONG, HangUp(), is_firm=True)
                self._agent.respond(Purpose.GOODBYE, self._phrases.time_goodbye)
            case Alarm.ROLL_OVER:
                self._roll_over()

    def _settle(self) -> None:
        """After anything happened: who waits for whom, and whether the call may end now."""
        if self.is_over or not self._has_time:
            return
        now_ms, due, playing = self.now_ms, self._agent.is_due, not self._playout.is_idle
        is_working = due or bool(self._tools) or not self._agent.is_ready
        if self._is_guarding and self._was_ready and not is_working and not playing:
            self._greeting_was_heard()
            due = is_working = self._agent.is_due
        self._silence.update(now_ms, is_idle=not (is_working or playing or self._caller_is_speaking or self._farewell))
        self._patience.update(
            now_ms,
            caller_waits=is_working and not self._caller_is_speaking,
            provider_is_due=due and self._agent.is_ready and not self._caller_is_speaking,
        )
        farewell = self._farewell
        if farewell is not None and not due and not self._tools:
            if not playing:
                self._part()
            elif not farewell.is_bounded:
                farewell.is_bounded = True
                self.alarms.set(Alarm.FAREWELL, now_ms + self._playout.unheard_ms + SLACK_MS)

    # The caller

    def mark_echoed(self, name: str) -> None:
        if self._playout.echoed(name):
            self._heard_more()

    def playout_tick(self) -> None:
        if self._playout.tick():
            self._happened("echoes_lost")
            self._heard_more()

    def key_pressed(self, digit: str) -> None:
        """A key is a turn of the caller's, and interrupts as speech does."""
        self._caller_was_active()
        self._turns += 1
        self._happened("key_pressed")
        wish = " and asks for a person" if digit == "0" else ""
        text = f"[The caller pressed {digit}{wish}]"
        self._transcript.caller_said(f"key_{self._turns}", text, at_ms=self._clock.now_ms, turn=self._turns)
        if not self._is_guarding:
            self._interrupt(server_stops_itself=False)
        if self._agent.is_ready:
            self._agent.caller_typed(text)
            if self._is_guarding:
                self._guarded_turns += 1
            else:
                self._agent.respond(Purpose.ANSWER)
        else:
            self._owes_answer = True
        self._settle()

    def caller_hung_up(self) -> None:
        self._close(EndReason.CALLER_HUNG_UP, HangUp())

    def caller_gone(self, why: str) -> None:
        self._happened("stream_lost", why=why[:80])
        self._close(EndReason.STREAM_LOST, HangUp())

    def hang_up(self, reason: EndReason) -> None:
        self._close(reason, FallBack() if reason is EndReason.SERVER_STOPPING else HangUp())

    def _heard_more(self) -> None:
        answered = self._meter.heard(at_ms=self._clock.now_ms, position=self._playout.confirmed_bytes)
        if answered is not None:
            self._record(answered)
        if self._playout.is_idle:
            self._settle()

    def _caller_was_active(self) -> None:
        self._silence.caller_was_active()
        if self._farewell is not None and not self._farewell.is_firm:
            self._farewell = None
            self.alarms.cancel(Alarm.FAREWELL)
            self._agent.forget(Purpose.GOODBYE)
            self._happened("farewell_interrupted")

    def _interrupt(self, *, server_stops_itself: bool) -> None:
        """Barge-in: the caller hears no more of it, and the agent learns what he did hear."""
        cuts = [cut for cut in self._playout.interrupt() if not cut.item.is_local]
        self._agent.stop_talking(server_stops_itself=server_stops_itself)
        missing = [cut for cut in cuts if cut.is_missing_something]
        for cut in missing:
            cut.item.is_dropped = True
            self._agent.truncate(cut.item, cut.heard_ms)
            self._transcript.cut(cut.item.item_id, heard_ms=cut.heard_ms, received_ms=cut.received_ms)
        if missing:
            self._record(TurnInterrupted(self._turns, self._clock.now_ms, missing[0].heard_ms))

    # The agent's audio and events

    def agent_audio(self, item: AgentItem, payload: str) -> None:
        """The hot path. Raises ValueError when it is not base64."""
        if not item.has_begun:
            item.has_begun = True
            self._item_begins(item)
        self._playout.add(item, payload)

    def receive(self, event: AgentEvent) -> None:
        self._happens(event)
        self._settle()

    def _happens(self, event: AgentEvent) -> None:
        match event:
            case events.AgentAudio(item, payload):
                self.agent_audio(item, payload)
            case events.AudioCompleted(item):
                self._playout.complete(item)
            case events.AgentText(item_id, text, is_whole):
                self._transcript.agent_said(item_id, text, is_whole=is_whole)
            case events.SpeechStarted():
                self._speech_started(event)
            case events.SpeechStopped():
                self._caller_is_speaking = False
                self._meter.speech_stopped(at_ms=event.at_ms, noticed_ms=self._clock.now_ms)
                self.alarms.set(Alarm.ANSWER, self.now_ms + ANSWER_AFTER_MS)
            case events.TurnCommitted(item_id):
                self._turn_committed(item_id)
            case events.CallerTranscribed(item_id, text):
                self._transcript.caller_said(item_id, text, at_ms=self._clock.now_ms, turn=self._turns)
            case events.ResponseBegan():
                self.alarms.cancel(Alarm.ANSWER)
                self._missed_turn = ""
            case events.ResponseEnded():
                self._response_ended(event)
            case events.ToolRequested():
                self._tool_requested(event)
            case events.UsageSeen(source, usage):
                is_speech = source == "transcription"
                model = self._briefing.transcription_model if is_speech else self._briefing.model
                self._record(UsageReported(source, model, usage))
            case events.Complaint(kind, code):
                self._happened(kind, code=code)
            case events.AgentReady():
                self._agent_ready()
            case events.LinkUnusable(reason, is_fatal):
                self.link_unusable(reason, is_fatal=is_fatal)

    def _item_begins(self, item: AgentItem) -> None:
        ahead_ms = self._playout.unheard_ms
        self._transcript.agent_began(item.item_id, at_ms=self._clock.now_ms + ahead_ms, turn=self._turns)
        self._meter.audio_came(at_ms=self._clock.now_ms, position=self._playout.received_bytes)

    def _speech_started(self, event: events.SpeechStarted) -> None:
        self._speeches += 1
        self._caller_is_speaking = True
        self._caller_was_active()
        self._meter.speech_started()
        self._transcript.caller_began(event.item_id, at_ms=event.at_ms, turn=self._turns + 1)
        if self._briefing.turn_detection.interrupts and not self._is_guarding:
            self._interrupt(server_stops_itself=True)

    def _turn_committed(self, item_id: str) -> None:
        self._caller_is_speaking = False
        self._turns += 1
        self._missed_turn = item_id
        self._meter.committed(self._turns)
        if self._is_guarding:
            self._guarded_turns += 1
        else:
            self.alarms.set(Alarm.ANSWER, self.now_ms + ANSWER_AFTER_MS)

    def _response_ended(self, event: events.ResponseEnded) -> None:
        if event.outcome is not Outcome.FAILED:
            self._failures = 0
            return
        self._failures += 1
        self._happened("response_failed", code=event.code)
        if self._failures > MOST_FAILURES:
            self._close(EndReason.PROVIDER_FAILED, FallBack())
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
        self._happened("tone_played")

    # Tools and the end

    def _tool_requested(self, event: events.ToolRequested) -> None:
        self._tools[event.call_id] = self._speeches
        self._transcript.tool_asked(event.call_id, event.name, event.arguments, at_ms=self._clock.now_ms)
        self._act(RunTool(event.call_id, event.name, event.arguments, self._turns))
        if Alarm.FILLER not in self.alarms:
            self.alarms.set(Alarm.FILLER, self.now_ms + self._limits.filler_after_ms)

    def tool_finished(self, call_id: str, result: ToolResult) -> None:
        speeches = self._tools.pop(call_id, None)
        if speeches is None:
            return
        if not self._tools:
            self.alarms.cancel(Alarm.FILLER)
            self._agent.forget(Purpose.FILLER)
        self._transcript.tool_answered(call_id, result.output)
        # Whoever spoke since the tool was asked for has not finished with us.
        may_end = speeches == self._speeches and not self._caller_is_speaking
        match result.then:
            case EndCall() if may_end:
                self._begin_farewell(EndReason.AGENT_HUNG_UP, HangUp())
            case Transfer(target_id) if may_end:
                self._begin_farewell(EndReason.TRANSFERRED, HandOver(target_id))
        if not self._agent.is_ready:
            self._owes_answer = True
        self._agent.answer_tool(call_id, result.output, is_farewell=result.then is not None and may_end)
        self._settle()

    def _begin_farewell(self, reason: EndReason, follow_up: FollowUp, *, is_firm: bool = False) -> None:
        self._farewell = Farewell(reason, follow_up, is_firm)
        self.alarms.set(Alarm.FAREWELL, self.now_ms + GUARD_MS)

    def _say_goodbye_to_silence(self) -> None:
        if self._agent.is_due or not self._playout.is_idle:
            self.alarms.set(Alarm.GOODBYE, self.now_ms + LOOK_AGAIN_MS)
            return
        self._begin_farewell(EndReason.CALLER_SILENT, HangUp())
        self._agent.respond(Purpose.GOODBYE, self._phrases.silence_goodbye)

    def _part(self) -> None:
        if self._farewell is not None:
            self._close(self._farewell.reason, self._farewell.follow_up)

    def _close(self, reason: EndReason, follow_up: FollowUp) -> None:
        if self.is_over:
            return
        for cut in self._playout.abandon():
            if cut.is_missing_something and not cut.item.is_local:
                self._transcript.cut(cut.item.item_id, heard_ms=cut.heard_ms, received_ms=cut.received_ms)
        self.is_over = True
        self._act(CloseCall(reason, follow_up))

    # The link

    def link_opened(self) -> None:
        self._agent.link_opened()
        self.agent_frame_ms = self.now_ms

    def link_lost(self, loss: LinkLoss) -> None:
        if self.is_over:
            return
        self._happened("agent_lost", code=loss.code, reason=loss.reason[:80])
        if self._agent.is_ready:
            self._owes_answer |= self._agent.is_due or self._caller_is_speaking
            if self._caller_is_speaking:
                self._missed_turn = "speaking"
        self._agent.link_closed()
        self._caller_is_speaking = False
        self.alarms.cancel(Alarm.ANSWER, Alarm.STALL)
        if loss.is_fatal:
            self._close(EndReason.PROVIDER_REFUSED, FallBack())
        elif self._link.lost(self.now_ms):
            self._patience.link_lost(self.now_ms)
            self._settle()
        else:
            self._close(EndReason.PROVIDER_FAILED, FallBack())

    def link_unusable(self, reason: str, *, is_fatal: bool = False) -> None:
        """The socket is up, but no good."""
        self._act(CloseLink())
        self.link_lost(LinkLoss(None, reason, is_fatal))

    def _agent_ready(self) -> None:
        was_ready, self._was_ready = self._was_ready, True
        self._link.ready(self.now_ms, was_lost=was_ready)
        self.alarms.set(Alarm.ROLL_OVER, self.now_ms + self._limits.roll_over_after_ms)
        self._happened("agent_resumed" if was_ready else "agent_ready")
        if was_ready:
            self._agent.replay(self._transcript.past())
        if not self._transcript.has_agent_spoken and self._phrases.greeting:
            self._agent.respond(Purpose.GREETING, self._phrases.greeting)
        elif self._owes_answer and not self._tools:
            self._resume()
        self._owes_answer = False
        self._agent.let_caller_in()

    def _resume(self) -> None:
        """The link was lost while the caller waited: answer what he said, or ask for it again if it was lost too."""
        if self._missed_turn and not self._transcript.is_known(self._missed_turn):
            self._agent.respond(Purpose.MISSED, self._phrases.missed)
        else:
            self._agent.respond(Purpose.ANSWER)

    def _roll_over(self) -> None:
        """Before the provider ends the session, at a moment when nobody notices."""
        is_silent = not (self._caller_is_speaking or self._tools or self._agent.is_due or self._farewell)
        if not is_silent or not self._playout.is_idle:
            self.alarms.set(Alarm.ROLL_OVER, self.now_ms + LOOK_AGAIN_MS)
            return
        self._happened("session_renewed")
        self._agent.link_closed()
        self._link.renew(self.now_ms)

    # What leaves

    def _act(self, action: Action) -> None:
        self.actions.append(action)

    def _record(self, fact: Fact) -> None:
        self.actions.append(Record(fact))

    def _happened(self, kind: str, **detail: str | int | None) -> None:
        self._record(SomethingHappened(kind, self._clock.now_ms, detail))
