"""Reads the frames of one OpenAI Realtime session as events of the core; does the handshake and handles errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import (
    AgentAudio,
    AgentEvent,
    AgentReady,
    AgentText,
    AudioCompleted,
    Complaint,
    ErrorClass,
    LinkUnusable,
    Outcome,
    ResponseBegan,
    ResponseRefused,
    ToolLost,
    UsageSeen,
)
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import decoded

from . import frames as wire
from .caller_audio import CallerAudio
from .caller_turns import CALLER_EVENTS, CallerTurns
from .endings import NEVER_BEGAN, NEVER_ENDED, Verdict, ended_event, failed, heard_of, judge
from .errors import ErrorKind, classify, error_class, wait_named_ms
from .item_names import ItemNames, OurIds
from .responses import ANSWER, Request, Responses, ResponseSequencer
from .session import SessionState
from .tool_calls import CallOrder, ToolBatches


class OpenAIReader:
    """Everything that one session knows; a new session gets a new one."""

    turns: type[CallerTurns] = CallerTurns

    __slots__ = (
        "_call_order",
        "_caller_turns",
        "_item",
        "_names",
        "_send",
        "_state",
        "responses",
        "sequencer",
        "tools",
    )

    def __init__(
        self,
        *,
        session: int,
        state: SessionState,
        clock: StreamClock,
        caller_audio: CallerAudio,
        ids: OurIds,
        send: Callable[[str], None],
    ) -> None:
        self._state = state
        self._send = send
        self.sequencer = ResponseSequencer(self._request)
        self._names = ItemNames(ids)
        self.responses = Responses(session, self._names.of_agent)
        self.tools = ToolBatches(ids.mint)
        self._call_order = CallOrder()
        self._caller_turns = self.turns(
            state, sequencer=self.sequencer, names=self._names, clock=clock, caller_audio=caller_audio
        )
        self._item: AgentItem | None = None

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        """`AgentDialect.receive`, for this session."""
        if not text.startswith(wire.AUDIO_DELTA):
            event = wire.parse_event(text, _KNOWN)
            if event is None:
                return []
            read = _EVENTS.get(event.type)
            return CALLER_EVENTS[event.type](self._caller_turns, event) if read is None else read(self, event)
        delta = wire.parse_delta(text)
        if "\\" in text and decoded(delta.delta) is None:  # an escape could put a quote into a frame of ours
            raise BadFrame
        item = self._item
        if (
            item is None
            or item.item_id != delta.item_id
            or item.response_id != delta.response_id
            or item.content_index != delta.content_index
            or item.is_dropped
        ):
            item = self._item = self.responses.item(delta.response_id, delta.item_id, delta.content_index)
            if item is None:
                return None
        return item, delta.delta

    # -- the session

    def session_created(self, event: wire.ServerEvent) -> list[AgentEvent]:
        settings, self._state.is_requested = self._state.settings, True
        self._send(wire.session_update(settings.guarded if self._state.is_guarding else settings.normal))
        return []

    def session_updated(self, event: wire.ServerEvent) -> list[AgentEvent]:
        if self._state.is_ready:
            self._state.is_updating = self._state.is_on_its_own = False
            return []
        if event.session is not None and not self.is_usable(event.session):
            return [LinkUnusable("wrong_audio_format", is_fatal=True)]
        self._state.is_ready = True
        return [AgentReady()]

    def is_usable(self, session: wire.Session) -> bool:
        """Whether its audio is what the phone speaks."""
        return wire.is_pcmu(session)

    def error(self, event: wire.ServerEvent) -> list[AgentEvent]:
        error = event.error or wire.ErrorBody()
        code = error.code or error.type or "error"
        kind = classify(error)
        if kind is ErrorKind.FATAL:
            return [LinkUnusable(code, is_fatal=True)]
        if kind is ErrorKind.EXPIRED or not self._state.is_ready:
            # Refusing the session we configure is for good; anything else before it is ready may pass.
            is_fatal = kind is not ErrorKind.EXPIRED and error.type == "invalid_request_error"
            return [LinkUnusable(code, is_fatal, wait_named_ms(error.message))]
        complaint = Complaint("provider_error", code)
        if kind is ErrorKind.BENIGN:
            self._state.truncating.clear()  # where it was one of these that crossed
            return [complaint]
        is_wait = error_class(error) is ErrorClass.WAIT
        refused = self.sequencer.refused(error.event_id, is_about_responses=is_wait or kind is ErrorKind.BUSY)
        if refused is None and is_wait and not error.event_id and self.sequencer.own_refused():
            refused = ANSWER
        if refused is None:
            return [complaint]
        if kind is ErrorKind.BUSY:
            self.sequencer.request_again(refused)
            return [ResponseRefused(code)]
        return [complaint, ended_event(refused, failed(error, default="error"))]

    def item_added(self, event: wire.ServerEvent) -> list[AgentEvent]:
        if event.item is not None and event.item.id is not None:
            self._state.unconfirmed_items.discard(event.item.id)
        return []

    def truncated(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._state.truncating.discard(event.item_id)
        return []

    # -- the agent

    def response_created(self, event: wire.ServerEvent) -> list[AgentEvent]:
        if event.response is None:
            return []
        response_id = event.response.id
        if self.responses.is_over(response_id):
            self._names.response_began(response_id)
        self.tools.response_began(response_id)
        request = self.sequencer.began(response_id, knows_everything=not self._state.unconfirmed_items)
        self.responses.began(response_id, request)
        if self.sequencer.caller_is_speaking and self._state.server_interrupts:
            # It was made while he already spoke, so nothing interrupted it: it would talk over him.
            self.responses.drop()
            self._send(wire.cancel_response(response_id))
        return [ResponseBegan(request.purpose)]

    def audio_delta(self, event: wire.ServerEvent) -> list[AgentEvent]:
        item = self.responses.item(event.response_id, event.item_id, event.content_index)
        if item is None or decoded(event.delta) is None:
            return []
        return [AgentAudio(item, event.delta)]

    def audio_done(self, event: wire.ServerEvent) -> list[AgentEvent]:
        item = self.responses.find(event.item_id, event.content_index)
        return [] if item is None else [AudioCompleted(item)]

    def text_delta(self, event: wire.ServerEvent) -> list[AgentEvent]:
        return [AgentText(self._names.of_agent(event.response_id, event.item_id), event.delta, is_whole=False)]

    def text_done(self, event: wire.ServerEvent) -> list[AgentEvent]:
        return [AgentText(self._names.of_agent(event.response_id, event.item_id), event.transcript, is_whole=True)]

    def item_begun(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._call_order.added(self._response_of(event), event.output_index, event.item)
        return []

    def item_done(self, event: wire.ServerEvent) -> list[AgentEvent]:
        if event.item is None:
            return []
        response_id = self._response_of(event)
        return self.tools.requests(response_id, self._call_order.finished(response_id, event.output_index, event.item))

    def _response_of(self, event: wire.ServerEvent) -> str:
        """Its response; the one being made where the event names none."""
        return event.response_id or self.sequencer.active_id

    @property
    def is_spoken(self) -> bool:
        active_id = self.sequencer.active_id
        return self.responses.is_spoken(active_id) and not self._call_order.is_open(active_id)

    def give_up_response(self) -> list[AgentEvent]:
        """The requested or current response sends nothing more; what still comes of it is dropped."""
        active_id = self.sequencer.active_id
        if active_id:
            self._send(wire.cancel_response(active_id))
            return [Complaint("response_stuck", NEVER_ENDED), *self._end(wire.Response(active_id, NEVER_ENDED))]
        request = self.sequencer.never_began()
        if request is None:
            return []
        verdict = Verdict(Outcome.FAILED, NEVER_BEGAN)
        return [Complaint("response_stuck", NEVER_BEGAN), ended_event(request, verdict)]

    def response_done(self, event: wire.ServerEvent) -> list[AgentEvent]:
        done = event.response
        if done is None or self.responses.is_over(done.id):
            return []
        events: list[AgentEvent] = []
        if not self.sequencer.active_id and self.sequencer.is_due:  # its beginning was missed: this is what was awaited
            request = self.sequencer.began(done.id, knows_everything=not self._state.unconfirmed_items)
            self.responses.began(done.id, request)
            events.append(ResponseBegan(request.purpose))
        return events + self._end(done)

    def _end(self, done: wire.Response) -> list[AgentEvent]:
        events: list[AgentEvent] = [] if done.usage is None else [UsageSeen("response", done.usage)]
        lost = self._call_order.lost(done.id, done.output)
        # The whole output is in the model's order; what was announced before is known already.
        events += self.tools.requests(done.id, [*done.output, *self._call_order.ended(done.id)])
        self.sequencer.ended(done.id)
        response = self.responses.ended(done.id)
        items = response.items if response else []
        heard = heard_of(response, has_calls=self.tools.has_calls(done.id), has_lost_calls=bool(lost))
        events += [AudioCompleted(item) for item in items if not (item.is_complete or item.is_dropped)]
        verdict = judge(done, heard)
        if verdict.error is ErrorClass.GIVE_UP:
            return [*events, LinkUnusable(verdict.code, is_fatal=True)]
        if verdict.outcome is not Outcome.CANCELLED:
            events += [ToolLost(call.name or "") for call in lost]
        was_answer = verdict.outcome in (Outcome.COMPLETED, Outcome.CANCELLED) and heard.is_audible
        if self.tools.response_ended(done.id, had_audio=was_answer):
            self.sequencer.want(ANSWER)
        events.append(ended_event(response.request if response else ANSWER, verdict, heard))
        self.sequencer.advance()
        return events

    def _request(self, event_id: str, request: Request) -> None:
        self._send(wire.create_response(event_id, request.say, in_other_words=request.in_other_words))


# Once for all calls: bound methods and their names would take 3 KB of each.
_EVENTS: Mapping[str, Callable[[OpenAIReader, wire.ServerEvent], list[AgentEvent]]] = {
    "session.created": OpenAIReader.session_created,
    "session.updated": OpenAIReader.session_updated,
    "conversation.item.added": OpenAIReader.item_added,
    "conversation.item.created": OpenAIReader.item_added,
    "conversation.item.truncated": OpenAIReader.truncated,
    "response.created": OpenAIReader.response_created,
    "response.output_audio.delta": OpenAIReader.audio_delta,
    "response.output_audio.done": OpenAIReader.audio_done,
    "response.output_audio_transcript.delta": OpenAIReader.text_delta,
    "response.output_audio_transcript.done": OpenAIReader.text_done,
    "response.output_item.added": OpenAIReader.item_begun,
    "response.output_item.done": OpenAIReader.item_done,
    "response.done": OpenAIReader.response_done,
    "error": OpenAIReader.error,
}
_KNOWN = frozenset((*_EVENTS, *CALLER_EVENTS))
