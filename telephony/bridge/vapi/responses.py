"""What the assistant is to say: wanted by the core, requested from VAPI, and being spoken.

VAPI names no responses. One begins and ends with the assistant's speech, and is the one that was requested, or else
VAPI's own answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import (
    AgentEvent,
    AudioCompleted,
    Complaint,
    Outcome,
    Purpose,
    ResponseBegan,
    ResponseEnded,
    TurnCommitted,
)

from . import frames as wire
from .agent_speech import AgentSpeech
from .caller_turns import CallerTurns

GO_ON = "Answer the caller now."
NEVER_BEGAN, NEVER_ENDED, NO_AUDIO = "never_began", "never_ended", "no_audio"


@dataclass(frozen=True, slots=True)
class Request:
    purpose: Purpose
    say: str = ""
    is_second_way: bool = False  # saying it in the usual way was not heard


OWN = Request(Purpose.ANSWER)


class Responses:
    """Of one call of VAPI's after the other. `frames` gets the requests, as soon as they may be sent."""

    def __init__(
        self, frames: list[str], *, speech: AgentSpeech, turns: CallerTurns, protects_greeting: bool = False
    ) -> None:
        self._frames = frames
        self._speech = speech
        self._turns = turns
        self.protects_greeting = protects_greeting
        self._may_begin = False
        self.expects_own = False
        self.is_working = False  # VAPI has shown that it prepares an answer
        self._wanted: list[Request] = []
        self._requested: Request | None = None  # sent, not yet begun
        self._active: Request | None = None
        self._has_spoken_since_tools = False
        self._is_farewell = False

    @property
    def is_due(self) -> bool:
        return bool(self._active or self._requested or self.expects_own or self._wanted)

    @property
    def is_under_way(self) -> bool:
        return bool(self._active or self._requested)

    # What VAPI does

    def began(self) -> list[AgentEvent]:
        """The assistant begins to speak: what we requested, or an answer of its own."""
        over: list[AgentEvent] = [] if self._active is None else [_cancelled(self._active, self._speech.end())]
        request, self._requested = self._requested or OWN, None
        turn: list[AgentEvent] = []
        if request.purpose is Purpose.ANSWER:
            turn = self._turns.answered()
            self.expects_own = self.is_working = False
            self._has_spoken_since_tools = True
            self.forget(Purpose.ANSWER)
        self._active = request
        return [*over, *turn, ResponseBegan(request.purpose)]

    def ended(self) -> list[AgentEvent]:
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

    def interrupted(self) -> list[AgentEvent]:
        """VAPI has stopped: what it sent is all there is of the item, and the core decides what the caller heard."""
        item, request = self._speech.item, self._active
        completed: list[AgentEvent] = [] if item is None or item.is_dropped else [AudioCompleted(item)]
        self._speech.drop()
        self._active = None
        return completed if request is None else [*completed, _cancelled(request, item)]

    def expecting(self, events: list[AgentEvent]) -> list[AgentEvent]:
        """VAPI answers a turn by itself."""
        if any(isinstance(event, TurnCommitted) for event in events) and not self._speech.is_wanted:
            self.expects_own, self.is_working = True, False
        return events

    def tools_called(self) -> list[AgentEvent]:
        """VAPI goes on by itself once it has their results."""
        self.is_working = self.expects_own = True
        self._has_spoken_since_tools = False
        return self._turns.answered()

    def tool_answered(self, *, is_farewell: bool) -> None:
        self.expects_own = not self._has_spoken_since_tools
        self._is_farewell = is_farewell

    def agent_left(self) -> None:
        self._wanted.clear()
        self._requested = self._active = None
        self.expects_own = False

    # What the core wants

    def may_begin(self) -> None:
        """The conversation begins: request what is wanted."""
        self._may_begin = True
        self._advance()

    def respond(self, purpose: Purpose, say: str, *, in_other_words: bool) -> None:
        if purpose is Purpose.ANSWER and (self.expects_own or self._active == OWN):
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

    def answer_overdue(self, *, are_tools_running: bool) -> None:
        if are_tools_running or self.is_working:
            self.is_working = False  # it is given as much time again
            return
        if self.expects_own:
            self.expects_own = False
            if not self._is_farewell:  # one that was spoken with the tool call needs nothing more
                self.respond(Purpose.ANSWER, "", in_other_words=False)

    def give_up(self) -> list[AgentEvent]:
        if self._active is not None:
            item = self._speech.item
            if item is not None and item.has_begun:  # the event that ends it is missing, not its sound
                return self.ended()
            request, self._active = self._active, None
            self._speech.drop()
            return _failed(request, NEVER_ENDED)
        requested, self._requested = self._requested, None
        return [] if requested is None else _failed(requested, NEVER_BEGAN)

    def link_closed(self) -> None:
        self._may_begin = self.expects_own = self.is_working = False
        self._requested = self._active = None
        self._wanted.clear()

    def _advance(self) -> None:
        """Request the next thing to be said, unless somebody speaks or VAPI is about to."""
        if not self._wanted or not self._may_begin or self.is_under_way or self._turns.is_speaking:
            return
        if self.expects_own and self._wanted[0].purpose is not Purpose.FILLER:
            return
        request = self._requested = self._wanted.pop(0)
        if request.purpose is Purpose.GREETING and request.is_second_way:
            self._frames.append(wire.say_first_message())
        elif request.say:
            is_interruptible = not (request.purpose is Purpose.GREETING and self.protects_greeting)
            self._frames.append(wire.say(request.say, is_interruptible=is_interruptible))
        else:
            self._frames.append(wire.add_message("system", GO_ON, is_answered=True))


def _cancelled(request: Request, item: AgentItem | None) -> ResponseEnded:
    is_audible = item is not None and item.has_begun
    return ResponseEnded(request.purpose, request.say, Outcome.CANCELLED, is_audible=is_audible)


def _failed(request: Request, code: str) -> list[AgentEvent]:
    return [
        Complaint("response_stuck", code),
        ResponseEnded(request.purpose, request.say, Outcome.FAILED, code),
    ]
