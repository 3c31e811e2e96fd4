"""OpenAI Realtime as the agent's side of a call: what the core wants becomes frames, one session after the other.

The server cancels its own response when the caller speaks (`interrupt_response`), but cannot know what was played:
truncating is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sessions.calls.facts import Speaker
from telephony.bridge.core.actions import LinkLoss
from telephony.bridge.core.agent_item import AgentItem
from telephony.bridge.core.events import AgentEvent, Purpose
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past, PastLine

from . import frames as wire
from .caller_audio import CallerAudio
from .errors import ErrorKind, classify, wait_named_ms
from .item_names import OurIds
from .reader import OpenAIReader
from .responses import Request
from .session import SessionSettings, SessionState


class OpenAIDialect:
    """The AgentDialect of OpenAI Realtime: one after the other, the sessions of one call."""

    is_about_response = staticmethod(wire.is_about_response)
    reader: type[OpenAIReader] = OpenAIReader

    __slots__ = (
        "_added",
        "_caller_audio",
        "_clock",
        "_ids",
        "_is_guarding",
        "_reader",
        "_session",
        "_settings",
        "_state",
        "frames",
        "hear",
        "receive",
    )

    def __init__(self, session: Mapping[str, object], clock: StreamClock, *, protects_greeting: bool) -> None:
        """`session`: the GA session object of session.update."""
        self._settings = SessionSettings(session)
        self._clock = clock
        self._is_guarding = protects_greeting
        self._added = 0
        self._session = 0
        self._ids = OurIds()
        self._caller_audio = CallerAudio()
        self.hear = self._caller_audio.hear
        self.frames = self._caller_audio.out
        self._begin_session()

    @property
    def is_ready(self) -> bool:
        return self._state.is_ready

    @property
    def is_due(self) -> bool:
        return self._reader.sequencer.is_due

    @property
    def expects_own_answer(self) -> bool:
        return self._reader.sequencer.expects_own

    @property
    def has_response(self) -> bool:
        return self._reader.sequencer.is_open_or_requested

    @property
    def is_spoken(self) -> bool:
        return self._reader.is_spoken

    @property
    def awaits_truncation(self) -> bool:
        return bool(self._state.truncating)

    @property
    def awaits_update(self) -> bool:
        return self._state.is_updating

    def is_fatal(self, loss: LinkLoss) -> bool:
        return classify(wire.ErrorBody(code=loss.reason)) is ErrorKind.FATAL

    def wait_ms(self, loss: LinkLoss) -> int | None:
        return wait_named_ms(loss.reason)

    def link_closed(self) -> None:
        self._session += 1
        self._caller_audio.close()
        self._begin_session()

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        self._reader.sequencer.want(Request(purpose, say, in_other_words))

    def forget(self, *purposes: Purpose) -> None:
        self._reader.sequencer.forget(purposes)

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        self._reader.responses.drop()
        active_id = self._reader.sequencer.active_id
        if active_id and not (server_stops_itself and self._state.server_interrupts):
            self._send(wire.cancel_response(active_id))

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        if not self.is_ready:
            return
        if item.session == self._session:
            self._state.truncating.add(item.item_id)
            self._send(wire.truncate(item.item_id, item.content_index, heard_ms))
        else:
            self._replace_line(item.line_id, heard_text)

    def caller_typed(self, text: str) -> None:
        self._send(wire.caller_text(self._next_item_id(), text))

    def hint(self, text: str) -> None:
        self._send(wire.system_text(self._next_item_id(), text))

    def answer_tool(self, request_id: str, output: str, *, is_farewell: bool) -> None:
        tools = self._reader.tools
        call_id = tools.call_id_of(request_id) if self.is_ready else None
        if call_id is None:
            return  # the next session gets it in its replay
        self._send(wire.tool_output(self._next_item_id(), call_id, output))
        if tools.answered(request_id, needs_answer=not is_farewell):
            self.respond(Purpose.ANSWER)

    def answer_overdue(self) -> None:
        self._reader.sequencer.overdue()

    def end_turn(self, *, is_answered: bool) -> None:
        self._send(wire.commit_audio())
        if is_answered:
            self._reader.sequencer.turn_committed(server_answers=True)
        else:
            self._reader.sequencer.speech_stopped(server_answers=False)

    def give_up_response(self) -> list[AgentEvent]:
        return self._reader.give_up_response()

    def truncation_overdue(self) -> None:
        self._state.truncating.clear()

    def update_overdue(self) -> bool:
        state = self._state
        is_first = not state.is_on_its_own
        if is_first:
            state.is_on_its_own = True
            self._send(wire.session_update(self._settings.listening))
        else:
            state.is_updating = False
        return is_first

    def replay(self, past: Sequence[Past]) -> None:
        tools = self._reader.tools
        for entry in past:
            if isinstance(entry, PastLine):
                said = wire.caller_text if entry.speaker is Speaker.CALLER else wire.agent_text
                self._send(said(self._replayed_id(entry.line_id), entry.text))
            else:
                # By our id: in one conversation no two calls may have the same, which they had in several responses.
                self._send(wire.tool_call(self._replayed_id(), entry.request_id, entry.name, entry.arguments))
                if entry.output is None:
                    tools.replayed(entry.request_id)
                else:
                    self._send(wire.tool_output(self._replayed_id(), entry.request_id, entry.output))
        tools.replay_ended()

    def let_caller_in(self) -> None:
        self._reader.sequencer.open()
        self._caller_audio.open()

    def release_greeting(self) -> None:
        self._is_guarding = self._state.is_guarding = False
        if self._state.is_requested:
            self._state.is_updating = True
            self._send(wire.session_update(self._settings.listening))

    def _begin_session(self) -> None:
        self._state = SessionState(self._settings, is_guarding=self._is_guarding)
        self._reader = self.reader(
            session=self._session,
            state=self._state,
            clock=self._clock,
            caller_audio=self._caller_audio,
            ids=self._ids,
            send=self._send,
        )
        self.receive = self._reader.receive

    def _replayed_id(self, line_id: str = "") -> str:
        item_id = self._next_item_id()
        self._state.replayed.append((line_id, item_id))
        return item_id

    def _replace_line(self, line_id: str, text: str) -> None:
        """Put what was heard in the place of a replayed line: only what this session spoke can be truncated."""
        replayed = self._state.replayed
        at = next((at for at, (replayed_id, _) in enumerate(replayed) if replayed_id == line_id), None)
        if at is None:
            return
        self._send(wire.delete_item(replayed.pop(at)[1]))
        if text:
            item_id = self._next_item_id()
            self._send(wire.agent_text(item_id, text, after=replayed[at - 1][1] if at else wire.FIRST))
            replayed.insert(at, (line_id, item_id))

    def _next_item_id(self) -> str:
        self._added += 1
        item_id = f"ours_{self._added}"
        self._state.unconfirmed_items.add(item_id)
        return item_id

    def _send(self, frame: str) -> None:
        self._caller_audio.out.append(frame)
