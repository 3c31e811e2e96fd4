"""One phone call between a caller and an agent of any provider: events come in, actions and frames go out.

No clock: `time_passed` brings the time, ten times a second, and every deadline is an alarm on it (deadlines.py).
"""

from __future__ import annotations

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import CostReported, UsageReported
from sessions.calls.outcomes import ToolResult

from . import events
from .actions import DeclineRecording, HandOver, HangUp, RunTool, Show
from .agent_item import AgentItem, is_heard_now, is_too_quiet, quiet_bytes
from .alarms import Alarm
from .deadlines import Deadlines
from .events import Purpose
from .farewell import Ending
from .ulaw import decoded

# Of a call, for a session that takes the place of the first one.
MOST_HINTS = 10


def hint_for_model(text: str) -> str:
    """As a system's message, which is not spoken."""
    return f"[Hint for you from a colleague: {text} The caller has not heard it. Do not mention it.]"


class Conversation(Deadlines):
    """What the caller and the agent do, and every decision about it."""

    __slots__ = ()

    # The caller

    @property
    def is_caller_speaking(self) -> bool:
        return self._caller_is_speaking

    def mark_echoed(self, name: str, *, is_late: bool = False) -> None:
        """`is_late`: it was played some time ago."""
        if is_late:
            self._starts.forget()
        if self._playout.echoed(name):
            self._heard_more()

    def key_pressed(self, digit: str) -> None:
        """A key is a turn of the caller's, and interrupts as speech does. The one about the recording does neither."""
        if digit == self._briefing.stop_key:
            self._caller_was_active()
            self.timeline.act(DeclineRecording())
            return
        wish = " and asks for a person" if digit == "0" else ""
        self.caller_typed("key", f"[The caller pressed {digit}{wish}]")

    def caller_typed(self, kind: str, text: str) -> None:
        """A turn of the caller's that was not spoken."""
        self._caller_was_active()
        self._turns += 1
        self._transcript.caller_said(f"{kind}_{self._turns}", text, at_ms=self._clock.now_ms, turn=self._turns)
        self._guard.turn_taken()
        if not self._guard.is_on:
            self._interrupt(server_stops_itself=False)
        self._reconnection.pending_answer.is_pending |= not self._agent.is_ready
        if self._agent.is_ready:
            self._agent.caller_typed(text)
            if not self._guard.is_on:
                self._agent.respond(Purpose.ANSWER)
        self._settle()

    def silence_agent(self) -> None:
        """The caller wants to hear no more of what the agent is saying."""
        self._caller_was_active()
        self._interrupt(server_stops_itself=False)
        self._settle()

    def show_lines(self, shows: bool = True) -> None:
        """Whether somebody reads along: then lines are shown as they grow."""
        self._transcript.show = (lambda line: self.timeline.act(Show(line))) if shows else None

    def note(self, text: str) -> None:
        """The agent says this to the caller, once nobody speaks and nothing else is under way."""
        self._notes.append(text)
        self._settle()

    def hint(self, text: str) -> None:
        """The agent knows this at once, and so does each later session of this call."""
        self._hints.append(text)
        del self._hints[:-MOST_HINTS]
        if self._agent.is_ready:
            self._give_hint(text)

    def _give_hint(self, text: str) -> None:
        self._agent.hint(hint_for_model(text))
        self.timeline.happened("hint_given")

    def hand_over(self, target_id: str, *, say: str) -> None:
        """Whatever is going on: the caller hears these words, then a person."""
        if self._farewell.ending is not None and self._farewell.ending.reason is EndReason.TRANSFERRED:
            return
        self._interrupt(server_stops_itself=False)
        self._forget(*Purpose)
        self._farewell.begin(self.now_ms, Ending(EndReason.TRANSFERRED, HandOver(target_id), is_firm=True))
        self._agent.respond(Purpose.GOODBYE, say)
        self._settle()

    def _caller_was_active(self) -> None:
        self._silence.caller_was_active()
        self._forget(Purpose.REPROMPT, Purpose.FILLER)
        if self._farewell.caller_was_active():
            self._forget(Purpose.GOODBYE)
            self.timeline.happened("farewell_interrupted")

    # The agent

    def agent_audio(self, item: AgentItem, payload: str) -> None:
        """Audio of an item, from its first frame on. Raises ValueError when it is not base64."""
        self.audio_ms = self.now_ms
        if not item.has_begun:
            if is_heard_now(item, payload):
                self._starts.came(item.line_id, quiet_bytes=quiet_bytes(decoded(payload) or b""), turn=self._turns)
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
            case events.CallerHeard(item_id, text, is_all):
                self._transcript.caller_heard(item_id, text, is_all=is_all)
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
                self._spending.add(model, usage)
                self._mind_spending()
            case events.Complaint(kind, code):
                self.timeline.happened(kind, code=code)
            case events.PlayedByProvider(mark):
                self.mark_echoed(mark)
            case events.SessionChangedByPage(what, is_last):
                self.timeline.happened("session_changed_by_page", code=what)
                if is_last:
                    self.close(EndReason.PAGE_CHANGED_SESSION, HangUp())
            case events.CostSeen(source, usd):
                self.timeline.record(CostReported(source, usd))
            case events.AgentLeft(reason, code):
                self._agent_left(reason, code)
            case events.AgentReady():
                self._reconnection.ready(self.now_ms, are_tools_running=bool(self._tools))
                for text in self._hints:
                    self._give_hint(text)
            case events.LinkUnusable(reason, is_fatal, wait_ms):  # pragma: no branch - the last one
                self.link_unusable(reason, is_fatal=is_fatal, wait_ms=wait_ms)

    def _speech_started(self, item_id: str, at_ms: int) -> None:
        self._tools.caller_spoke()
        self._caller_is_speaking = True
        self._bounds.speech_started(self.now_ms)
        self._caller_was_active()
        self._meter.speech_started()
        self._transcript.caller_began(item_id, at_ms=at_ms, turn=self._turns + 1)
        self._transcript.caller_speaks(item_id)
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

    # Tools

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
