"""A VAPI assistant as the agent's side of a call: what the core wants becomes control messages.

VAPI decides by itself when a turn is over, answers it, and stops when the caller speaks. It has no responses and no
items on the wire: they are made here, of what it says of speech. Its tools run at our server URL; the socket learns of
them (docs/explanation/vapi.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sessions.calls.facts import Speaker
from sessions.calls.short_ids import short_id
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import (
    AgentAudio,
    AgentEvent,
    AgentLeft,
    AgentReady,
    AgentText,
    AudioCompleted,
    Complaint,
    CostSeen,
    LinkUnusable,
    Outcome,
    Purpose,
    ResponseBegan,
    ResponseEnded,
    ToolRequested,
    TurnCommitted,
)
from telephony.bridge.core.kept_audio import KeptAudio
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past, PastLine

from . import frames as wire
from .agent_speech import AgentSpeech, is_loud
from .caller_turns import CallerTurns
from .endings import ending_of

LONGEST_ID = 64
MOST_COST_USD = 10_000
GO_ON = "Answer the caller now."
NEVER_BEGAN, NEVER_ENDED, NO_AUDIO = "never_began", "never_ended", "no_audio"


@dataclass(frozen=True, slots=True)
class Request:
    purpose: Purpose
    say: str = ""
    is_second_way: bool = False  # saying it in the usual way was not heard


OWN = Request(Purpose.ANSWER)


class VapiDialect:
    """The AgentDialect of VAPI's websocket transport: one after the other, VAPI's calls of one phone call."""

    awaits_truncation = False  # VAPI knows what was heard of its own speech
    awaits_update = False
    is_about_response = staticmethod(wire.is_about_response)

    def __init__(self, clock: StreamClock, *, tools: Collection[str] = (), protects_greeting: bool = False) -> None:
        """`tools`: the names of those that run at our server URL."""
        self._tools = frozenset(tools)
        self._protects_greeting = protects_greeting
        self.frames: list[str] = []
        self.is_ready = False
        self._is_open = False
        self._kept = KeptAudio()
        self._turns = CallerTurns(clock)
        self._speech = AgentSpeech(clock)
        self._call_id = ""
        self._has_ended = False
        self._wanted: list[Request] = []
        self._requested: Request | None = None  # sent, not yet begun
        self._active: Request | None = None
        self._expects_own = False
        self._is_working = False  # VAPI has shown that it prepares an answer
        self._has_spoken_since_tools = False
        self._is_farewell = False
        self._tool_ids: set[str] = set()
        self._running: set[str] = set()

    # What the core wants to know

    @property
    def is_due(self) -> bool:
        return bool(self._active or self._requested or self._expects_own or self._wanted)

    @property
    def expects_own_answer(self) -> bool:
        return self._expects_own

    @property
    def has_response(self) -> bool:
        return bool(self._active or self._requested)

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
            return self._ended()
        if not is_sound:
            return None
        latest = self._speech.latest
        if latest is not None and self._speech.is_leftover():
            return None if latest.is_dropped else (latest, payload)
        begun, item = self._begun(), self._speech.begin()
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
        ended = [*self._ended(), ending]
        if isinstance(ending, AgentLeft):
            self._wanted.clear()
            self._requested = self._active = None
            self._expects_own = False
        return ended

    def _speech_update(self, event: wire.VapiEvent) -> list[AgentEvent]:
        match event.role, event.status:
            case "user", "started":
                # While the assistant speaks, whether this interrupts it is for VAPI to decide.
                return self._turns.announced(speaks_over=self._speech.is_wanted)
            case "user", "stopped":
                return self._expecting(self._turns.stopped())
            case "assistant", "started":
                if self._speech.is_wanted:
                    return []
                begun = self._begun()
                self._speech.begin()
                return [*begun, *self._said(self._speech.text())]
            case "assistant", "stopped":
                return [*self._ended(), *self._turns.floor_is_free()]
        return []

    def _interrupted(self, event: wire.VapiEvent) -> list[AgentEvent]:
        """VAPI has stopped: what it sent is all there is of the item, and the core decides what the caller heard."""
        item, request = self._speech.item, self._active
        completed: list[AgentEvent] = [] if item is None or item.is_dropped else [AudioCompleted(item)]
        self._speech.drop()
        self._active = None
        ended: list[AgentEvent] = [] if request is None else [_cancelled(request, item)]
        return [*self._turns.interrupted(), *completed, *ended]

    def _transcript(self, event: wire.VapiEvent) -> list[AgentEvent]:
        if event.type == wire.TRANSCRIPT and event.transcriptType != "final":
            return []
        if event.role == "user":
            return self._expecting(self._turns.transcribed(event.transcript))
        return self._said(self._speech.text(spoken=event.transcript)) if event.role == "assistant" else []

    def _voice_input(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._is_working = True
        if not self._speech.is_wanted:  # the text of what is not spoken yet
            self._speech.next_text(event.input)
            return []
        return self._said(self._speech.text(ahead=event.input))

    def _said(self, text: str) -> list[AgentEvent]:
        latest = self._speech.latest
        return [] if latest is None or not text else [AgentText(latest.line_id, text, is_whole=True)]

    def _model_output(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._is_working = True
        return []

    def _tool_calls(self, event: wire.VapiEvent) -> list[AgentEvent]:
        self._is_working = self._expects_own = True
        self._has_spoken_since_tools = False
        events = self._turns.answered()
        for call in event.toolCallList:
            request_id = short_id(call.id, longest=LONGEST_ID)
            if not request_id or request_id in self._tool_ids:
                continue
            self._tool_ids.add(request_id)
            if call.tool_name in self._tools:
                self._running.add(request_id)
                events.append(ToolRequested(request_id, call.tool_name, call.arguments_json))
            else:  # VAPI's own, or one of a server that is not ours
                events.append(Complaint("tool_elsewhere", ""))
        return events

    def _transfer(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return [Complaint("provider_transfer", "")]

    def _hang(self, event: wire.VapiEvent) -> list[AgentEvent]:
        return [Complaint("agent_slow", "")]

    # Responses, made of speech

    def _begun(self) -> list[AgentEvent]:
        """The assistant begins to speak: what we requested, or an answer of its own."""
        over: list[AgentEvent] = [] if self._active is None else [_cancelled(self._active, self._speech.end())]
        request, self._requested = self._requested or OWN, None
        turn: list[AgentEvent] = []
        if request.purpose is Purpose.ANSWER:
            turn = self._turns.answered()
            self._expects_own = self._is_working = False
            self._has_spoken_since_tools = True
            self._wanted = [each for each in self._wanted if each.purpose is not Purpose.ANSWER]
        self._active = request
        return [*over, *turn, ResponseBegan(request.purpose)]

    def _ended(self) -> list[AgentEvent]:
        item, request = self._speech.end(), self._active
        self._active = None
        events: list[AgentEvent] = [] if item is None or item.is_dropped else [AudioCompleted(item)]
        if request is not None:
            if item is None or item.is_dropped:
                events.append(_cancelled(request, item))
            elif item.has_begun:
                events.append(ResponseEnded(request.purpose, request.say, Outcome.COMPLETED, is_audible=True))
            else:
                events.append(ResponseEnded(request.purpose, request.say, Outcome.UNANSWERED, NO_AUDIO))
        self._advance()
        return events

    def _expecting(self, events: list[AgentEvent]) -> list[AgentEvent]:
        """VAPI answers a turn by itself."""
        if any(isinstance(event, TurnCommitted) for event in events) and not self._speech.is_wanted:
            self._expects_own, self._is_working = True, False
        return events

    # What the core wants to be done

    def hear(self, payload: str, size_bytes: int, /) -> None:
        if self._is_open:
            self.frames.append(payload)
        else:
            self._kept.keep(payload, size_bytes)

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        if purpose is Purpose.ANSWER and (self._expects_own or self._active == OWN):
            return
        if purpose is Purpose.GREETING and self._active is not None:  # it speaks already: that is its first message
            self._active = Request(purpose, say)
            return
        if all(each.purpose is not purpose for each in self._wanted):
            self._wanted.append(Request(purpose, say, is_second_way=in_other_words))
        self._advance()

    def forget(self, *purposes: Purpose) -> None:
        self._wanted = [each for each in self._wanted if each.purpose not in purposes]

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        self._speech.drop()
        if not server_stops_itself:
            self._active = None
            self._advance()

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        if self.is_ready and item.session != self._speech.session:
            # What an earlier call of VAPI's said, or a kept greeting: this one takes it for wholly heard.
            note = f'The caller interrupted you, and heard only this of your last words: "{heard_text}"'
            self.frames.append(wire.add_message("system", note, is_answered=False))

    def caller_typed(self, text: str) -> None:
        self.frames.append(wire.add_message("user", text, is_answered=False))

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        """VAPI has the output from our server URL already, and goes on by itself."""
        self._running.discard(request_id)
        self._expects_own = not self._has_spoken_since_tools
        self._is_farewell = is_farewell

    def answer_overdue(self) -> None:
        if self._running or self._is_working:
            self._is_working = False  # it is given as much time again
            return
        if self._expects_own:
            self._expects_own = False
            if not self._is_farewell:  # one that was spoken with the tool call needs nothing more
                self.respond(Purpose.ANSWER)

    def end_turn(self, *, is_answered: bool) -> None:
        self._turns.link_closed()
        if is_answered:
            self.respond(Purpose.ANSWER)

    def give_up_response(self) -> list[AgentEvent]:
        if self._active is not None:
            if self.is_spoken:  # the event that ends it is missing, not its sound
                return self._ended()
            request, self._active = self._active, None
            self._speech.drop()
            return [
                Complaint("response_stuck", NEVER_ENDED),
                ResponseEnded(request.purpose, request.say, Outcome.FAILED, NEVER_ENDED),
            ]
        request_, self._requested = self._requested, None
        if request_ is None:
            return []
        return [
            Complaint("response_stuck", NEVER_BEGAN),
            ResponseEnded(request_.purpose, request_.say, Outcome.FAILED, NEVER_BEGAN),
        ]

    def truncation_overdue(self) -> None:
        """Nothing is confirmed."""

    def update_overdue(self) -> bool:
        return False

    def replay(self, past: Sequence[Past]) -> None:
        for entry in past:
            if isinstance(entry, PastLine):
                role = "user" if entry.speaker is Speaker.CALLER else "assistant"
                self.frames.append(wire.add_message(role, entry.text, is_answered=False))
            elif entry.output is not None:
                used = f"You called {entry.name} with {entry.arguments}. It returned: {entry.output}"
                self.frames.append(wire.add_message("system", used, is_answered=False))

    def let_caller_in(self) -> None:
        self._is_open = True
        self._advance()
        self.frames += [payload for payload, _ in self._kept.take()]

    def release_greeting(self) -> None:
        """Only the greeting itself was said so that nobody can interrupt it."""
        self._protects_greeting = False

    def link_closed(self) -> None:
        self.is_ready = self._is_open = self._has_ended = False
        self._turns.link_closed()
        self._speech.link_closed()
        self._requested = self._active = None
        self._expects_own = self._is_working = False
        self._wanted.clear()
        self._running.clear()
        self.frames.clear()

    def _advance(self) -> None:
        """Request the next thing to be said, unless somebody speaks or VAPI is about to."""
        if not self._wanted or not self._is_open or self.has_response or self._turns.is_speaking:
            return
        if self._expects_own and self._wanted[0].purpose is not Purpose.FILLER:
            return
        request = self._requested = self._wanted.pop(0)
        if request.purpose is Purpose.GREETING and request.is_second_way:
            self.frames.append(wire.say_first_message())
        elif request.say:
            is_interruptible = not (request.purpose is Purpose.GREETING and self._protects_greeting)
            self.frames.append(wire.say(request.say, is_interruptible=is_interruptible))
        else:
            self.frames.append(wire.add_message("system", GO_ON, is_answered=True))


def _cancelled(request: Request, item: AgentItem | None) -> ResponseEnded:
    is_audible = item is not None and item.has_begun
    return ResponseEnded(request.purpose, request.say, Outcome.CANCELLED, is_audible=is_audible)


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
