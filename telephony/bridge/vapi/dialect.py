"""A VAPI assistant as the agent's side of a call: what the core wants becomes control messages.

VAPI decides by itself when a turn is over, answers it, and stops when the caller speaks. It has no responses and no
items on the wire: they are made here, of what it says of speech. Its tools run at our server URL; the socket learns of
them (docs/explanation/vapi.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import (
    AgentAudio,
    AgentEvent,
    AgentLeft,
    AgentReady,
    AgentText,
    Complaint,
    CostSeen,
    LinkUnusable,
    Purpose,
)
from telephony.bridge.core.kept_audio import KeptAudio
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past

from . import frames as wire
from .agent_speech import AgentSpeech, is_loud
from .caller_turns import CallerTurns
from .endings import ending_of
from .responses import Responses
from .tool_calls import ToolCalls

MOST_COST_USD = 10_000


class VapiDialect:
    """The AgentDialect of VAPI's websocket transport: one after the other, VAPI's calls of one phone call."""

    awaits_truncation = False  # VAPI knows what was heard of its own speech
    awaits_update = False
    is_about_response = staticmethod(wire.is_about_response)

    def __init__(self, clock: StreamClock, *, tools: Collection[str] = (), protects_greeting: bool = False) -> None:
        """`tools`: the names of those that run at our server URL."""
        self._tools = ToolCalls(tools)
        self.frames: list[str] = []
        self.is_ready = False
        self._is_open = False
        self._kept = KeptAudio()
        self._turns = CallerTurns(clock)
        self._speech = AgentSpeech(clock)
        self._responses = Responses(
            self.frames, speech=self._speech, turns=self._turns, protects_greeting=protects_greeting
        )
        self._call_id = ""
        self._has_ended = False

    # What the core wants to know

    @property
    def is_due(self) -> bool:
        return self._responses.is_due

    @property
    def expects_own_answer(self) -> bool:
        return self._responses.expects_own

    @property
    def has_response(self) -> bool:
        return self._responses.is_under_way

    @property
    def is_spoken(self) -> bool:
        item = self._speech.item
        return item is not None and item.has_begun

    def is_fatal(self, loss: LinkLoss) -> bool:
        return False

    def wait_ms(self, loss: LinkLoss) -> int | None:
        return None

    # What comes

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        if text[:1] != wire.JSON_BEGINS:
            item = self._speech.item
            if item is not None and not item.is_dropped and not self._speech.is_over(text):
                return item, text
            return self._sound(text)
        event = wire.parse_event(text, _KNOWN)
        if event is None:
            return []
        ready = self._sign_of_life(event)
        return [*ready, *_EVENTS[event.type](self, event)]

    def _sign_of_life(self, event: wire.VapiEvent) -> list[AgentEvent]:
        """VAPI answers with whatever it sends first. A call that waits or is over is none."""
        is_alive = event.type not in (wire.CREATED, wire.REPORT) and (
            event.type != wire.STATUS or event.status == "in-progress"
        )
        return self._ready() if is_alive else []

    def _ready(self) -> list[AgentEvent]:
        if self.is_ready:
            return []
        self.is_ready = True
        return [AgentReady()]

    def _sound(self, payload: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        """Sound that is not simply more of what is spoken."""
        is_sound = is_loud(payload)
        if self._speech.is_wanted:  # its end was missed
            return self._responses.ended()
        if not is_sound:
            return None
        latest = self._speech.latest
        if latest is not None and self._speech.is_leftover():
            return None if latest.is_dropped else (latest, payload)
        begun, item = self._responses.began(), self._speech.begin()
        return [*self._ready(), *begun, *self._said(self._speech.text()), AgentAudio(item, payload)]

    # VAPI's events, each of which is also a sign of life

    def _created(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._call_id = event.call_id
        return [Complaint("provider_call", event.call_id[:80])]

    def _nothing(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return []

    def _status(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return self._over(event.endedReason or "") if event.status == "ended" else []

    def _report(self, event: wire.VapiEvent) -> list[AgentEvent]:
        cost: list[AgentEvent] = []
        if event.cost is not None and 0 <= event.cost < MOST_COST_USD:
            cost.append(CostSeen(f"vapi {self._call_id}", event.cost))
        return [*cost, *self._over(event.endedReason or "")]

    def _over(self, reason: str) -> list[AgentEvent]:
        if self._has_ended:
            return []
        self._has_ended = True
        ending = ending_of(reason)
        if not self.is_ready and isinstance(ending, AgentLeft):  # it was over before it began
            ending = LinkUnusable(reason or "ended", is_fatal=False)
        ended = [*self._responses.ended(), ending]
        if isinstance(ending, AgentLeft):
            self._responses.agent_left()
        return ended

    def _speech_update(self, event: wire.VapiEvent) -> list[AgentEvent]:
        match event.role, event.status:
            case "user", "started":
                # While the assistant speaks, whether this interrupts it is for VAPI to decide.
                return self._turns.announced(speaks_over=self._speech.is_wanted)
            case "user", "stopped":
                return self._responses.expecting(self._turns.stopped())
            case "assistant", "started":
                if self._speech.is_wanted:
                    return []
                begun = self._responses.began()
                self._speech.begin()
                return [*begun, *self._said(self._speech.text())]
            case "assistant", "stopped":
                return [*self._responses.ended(), *self._turns.floor_is_free()]
        return []

    def _interrupted(self, event: wire.VapiEvent) -> list[AgentEvent]:
        ended = self._responses.interrupted()
        return [*self._turns.interrupted(), *ended]

    def _transcript(self, event: wire.VapiEvent) -> list[AgentEvent]:
        if event.type == wire.TRANSCRIPT and event.transcriptType != "final":
            return self._turns.heard(event.transcript) if event.role == "user" else []
        if event.role == "user":
            return self._responses.expecting(self._turns.transcribed(event.transcript))
        return self._said(self._speech.text(spoken=event.transcript)) if event.role == "assistant" else []

    def _voice_input(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._responses.is_working = True
        if not self._speech.is_wanted:  # the text of what is not spoken yet
            self._speech.next_text(event.input)
            return []
        return self._said(self._speech.text(ahead=event.input))

    def _said(self, text: str) -> list[AgentEvent]:
        latest = self._speech.latest
        return [] if latest is None or not text else [AgentText(latest.line_id, text, is_whole=True)]

    def _model_output(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._responses.is_working = True
        return []

    def _tool_calls(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return [*self._responses.tools_called(), *self._tools.requested(event.toolCallList)]

    def _transfer(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return [Complaint("provider_transfer", "")]

    def _hang(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return [Complaint("agent_slow", "")]

    # What the core wants to be done

    def hear(self, payload: str, size_bytes: int, /) -> None:
        if self._is_open:
            self.frames.append(payload)
        else:
            self._kept.keep(payload, size_bytes)

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        self._responses.respond(purpose, say, in_other_words=in_other_words)

    def forget(self, *purposes: Purpose) -> None:
        self._responses.forget(*purposes)

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        self._responses.stop_talking(server_stops_itself=server_stops_itself)

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        if self.is_ready and item.session != self._speech.session:
            # What an earlier call of VAPI's said, or a kept greeting: this one takes it for wholly heard.
            note = f'The caller interrupted you, and heard only this of your last words: "{heard_text}"'
            self.frames.append(wire.add_message("system", note, is_answered=False))

    def caller_typed(self, text: str) -> None:
        self.frames.append(wire.add_message("user", text, is_answered=False))

    def hint(self, text: str) -> None:
        self.frames.append(wire.add_message("system", text, is_answered=False))

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        """VAPI has the output from our server URL already, and goes on by itself."""
        self._tools.finished(request_id)
        self._responses.tool_answered(is_farewell=is_farewell)

    def answer_overdue(self) -> None:
        self._responses.answer_overdue(are_tools_running=self._tools.are_running)

    def end_turn(self, *, is_answered: bool) -> None:
        self._turns.link_closed()
        if is_answered:
            self.respond(Purpose.ANSWER)

    def give_up_response(self) -> list[AgentEvent]:
        return self._responses.give_up()

    def truncation_overdue(self) -> None:
        """Nothing is confirmed."""

    def update_overdue(self) -> bool:
        return False

    def replay(self, past: Sequence[Past]) -> None:
        self.frames += wire.replayed(past)

    def let_caller_in(self) -> None:
        self._is_open = True
        self._responses.may_begin()
        self.frames += [payload for payload, _ in self._kept.take_speech()]

    def release_greeting(self) -> None:
        """Only the greeting itself cannot be interrupted."""
        self._responses.protects_greeting = False

    def link_closed(self) -> None:
        self.is_ready = self._is_open = self._has_ended = False
        self._turns.link_closed()
        self._speech.link_closed()
        self._responses.link_closed()
        self._tools.link_closed()
        self.frames.clear()


_EVENTS: Mapping[str, Callable[[VapiDialect, wire.VapiEvent], list[AgentEvent]]] = {
    wire.CREATED: VapiDialect._created,
    wire.STARTED: VapiDialect._nothing,
    wire.STATUS: VapiDialect._status,
    wire.SPEECH: VapiDialect._speech_update,
    wire.TRANSCRIPT: VapiDialect._transcript,
    wire.FINAL_TRANSCRIPT: VapiDialect._transcript,
    wire.MODEL_OUTPUT: VapiDialect._model_output,
    wire.CONVERSATION: VapiDialect._nothing,
    wire.INTERRUPTED: VapiDialect._interrupted,
    wire.TOOL_CALLS: VapiDialect._tool_calls,
    wire.TRANSFER: VapiDialect._transfer,
    wire.VOICE_INPUT: VapiDialect._voice_input,
    wire.HANG: VapiDialect._hang,
    wire.REPORT: VapiDialect._report,
    wire.METADATA: VapiDialect._nothing,
}
_KNOWN = frozenset(_EVENTS)
