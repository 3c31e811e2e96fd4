"""OpenAI Realtime where the caller talks to it over WebRTC: we follow the call on its side channel (protocols.md, B1).

Audio never passes here. The server plays what the agent says, cuts it when the caller speaks, and truncates its items
to what was heard; `output_audio_buffer.*` says when a response begins and ends to be heard.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence

from telephony.bridge.core.agent_item import AUDIBLE_BYTES, AgentItem
from telephony.bridge.core.events import AgentAudio, AgentEvent, PlayedByProvider, Purpose
from telephony.bridge.core.remote_playout import begun, ended
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past, PastTool, spoken_ms

from . import frames as wire
from .caller_turns import CallerTurns
from .dialect import OpenAIDialect
from .page_watch import PageWatch, is_callers
from .reader import OpenAIReader

# Stands for audio that was played elsewhere: the least that counts as heard.
HEARD_ELSEWHERE = b64encode(bytes(AUDIBLE_BYTES)).decode()
_CLEAR = '{"type":"output_audio_buffer.clear"}'


class SideChannelTurns(CallerTurns):
    """The session counts the audio of a connection that we do not see: an event is placed when it comes."""

    def _stream_ms(self, session_ms: float) -> int:
        return self._clock.now_ms

    def continue_from(self, earlier: CallerTurns) -> None:
        self._names = earlier._names


class SideChannelReader(OpenAIReader):
    """The frames of a side channel."""

    turns = SideChannelTurns
    watch: PageWatch
    _heard_id = ""  # the response that is heard
    _has_seen_response = False
    _is_restoring = False

    def configure(self) -> None:
        """A side channel joins a session that exists already: nothing announces it (protocols.md, B1)."""
        self._state.is_requested = True
        self._send(wire.session_update(self._settings))

    def continue_from(self, earlier: SideChannelReader) -> None:
        """The same session, followed over another side channel."""
        self.tools, self.responses = earlier.tools, earlier.responses
        self._names, self._call_order = earlier._names, earlier._call_order
        self._state.unconfirmed_items = earlier._state.unconfirmed_items
        if isinstance(self._caller_turns, SideChannelTurns):
            self._caller_turns.continue_from(earlier._caller_turns)

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        """`AgentDialect.receive`. Raises BadFrame."""
        event = wire.parse_event(text, _OWN)
        if event is None:
            return super().receive(text)
        match event.type:
            case "session.created":
                return []
            case "session.updated":
                return self.session_updated(event)
            case "error":
                return self.error(event)
            case "response.created":
                return self.response_created(event)
            case "response.output_item.added":
                self.watch.made(event.item)
                return self.item_begun(event)
            case "conversation.item.added":
                return self.item_added(event)
            case "conversation.item.done":
                return self.item_whole(event)
            case "conversation.item.deleted":
                return self.item_deleted(event)
            case "response.output_audio_transcript.delta":
                return self.text_delta(event)
            case "response.output_audio_transcript.done":
                return self.text_done(event)
            case "output_audio_buffer.started":
                self._heard_id = event.response_id
                return [PlayedByProvider(begun(event.response_id))]
            case _:
                self._heard_id = ""
                return [PlayedByProvider(ended(event.response_id))]

    def session_updated(self, event: wire.ServerEvent) -> list[AgentEvent]:
        """What the page changes, we change back."""
        state = self._state
        if not state.is_ready or (state.is_updating and not self._is_other(event.session)):
            return super().session_updated(event)
        if not state.is_updating:
            state.is_updating = self._is_restoring = True
            self._send(wire.session_update(self._settings))
        return [self.watch.changed("session.update")]

    def error(self, event: wire.ServerEvent) -> list[AgentEvent]:
        """OpenAI refuses a whole update that names another voice once the agent has spoken."""
        if self._is_restoring and self._state.is_updating:
            self._is_restoring = False
            self._send(wire.session_update(_without_voice(self._settings)))
        return super().error(event)

    def _is_other(self, session: wire.Session | None) -> bool:
        """Whether it says that its instructions are not ours."""
        return session is not None and session.instructions not in (None, self._settings.get("instructions"))

    @property
    def _settings(self) -> Mapping[str, object]:
        settings = self._state.settings
        return settings.guarded if self._state.is_guarding else settings.normal

    def is_usable(self, session: wire.Session) -> bool:
        return True

    def response_created(self, event: wire.ServerEvent) -> list[AgentEvent]:
        """The first one may answer what was said before we could follow."""
        is_the_pages = self._has_seen_response and not self.sequencer.is_owed
        self._has_seen_response = True
        events = super().response_created(event)
        if is_the_pages and event.response is not None:
            self._send(wire.cancel_response(event.response.id))
            events.append(self.watch.changed("response.create"))
        return events

    def item_added(self, event: wire.ServerEvent) -> list[AgentEvent]:
        """Our own items are known by their ids until the server has confirmed them."""
        item, ours = event.item, frozenset(self._state.unconfirmed_items)
        events = super().item_added(event)
        if item is not None and item.id in ours:
            self.watch.made(item)
        if item is None or not self.watch.is_foreign(item, ours=ours):
            return events
        is_beyond_repair = self.watch.is_misleading(item)
        if is_beyond_repair or is_callers(item):
            events.append(self._drop(item, is_beyond_repair=is_beyond_repair))
        return events

    def item_whole(self, event: wire.ServerEvent) -> list[AgentEvent]:
        """By now it is known which items are of a response; which are ours, only before."""
        item = event.item
        is_decided = item is None or is_callers(item) or self.watch.is_misleading(item)
        if item is None or is_decided or not self.watch.is_foreign(item):
            return []
        return [self._drop(item, is_beyond_repair=False)]

    def _drop(self, item: wire.Item, *, is_beyond_repair: bool) -> AgentEvent:
        item_id = item.id or ""
        self.watch.drop(item_id)
        self._send(wire.delete_item(item_id))
        return self.watch.changed("conversation.item.create", is_beyond_repair=is_beyond_repair)

    def item_deleted(self, event: wire.ServerEvent) -> list[AgentEvent]:
        is_ours = self.watch.is_dropped(event.item_id)
        return [] if is_ours else [self.watch.changed("conversation.item.delete")]

    def text_delta(self, event: wire.ServerEvent) -> list[AgentEvent]:
        return self._spoken(event, event.delta) + super().text_delta(event)

    def text_done(self, event: wire.ServerEvent) -> list[AgentEvent]:
        return self._spoken(event, event.transcript, is_whole=True) + super().text_done(event)

    def _spoken(self, event: wire.ServerEvent, text: str, *, is_whole: bool = False) -> list[AgentEvent]:
        """There is audio where there is text. How long it is, only the text says."""
        item = self.responses.item(event.response_id, event.item_id, event.content_index)
        if item is None or not text:
            return []
        item.is_streamed = True
        item.expected_ms = spoken_ms(text) if is_whole else item.expected_ms + spoken_ms(text)
        if item.has_begun:
            return []
        events: list[AgentEvent] = [AgentAudio(item, HEARD_ELSEWHERE)]
        if event.response_id == self._heard_id:
            events.append(PlayedByProvider(begun(event.response_id)))
        return events


class SideChannelDialect(OpenAIDialect):
    """The AgentDialect of a call over WebRTC. A lost side channel is opened again to the same session."""

    reader = SideChannelReader
    _reader: SideChannelReader

    def __init__(self, session: Mapping[str, object], clock: StreamClock, *, protects_greeting: bool) -> None:
        self._watch = PageWatch()
        self._may_begin = True
        self._is_new_session = False
        self._is_resuming = False
        self._has_late_outputs = False
        super().__init__(without_formats(session), clock, protects_greeting=protects_greeting)

    def wait_for_page(self) -> None:
        """Say nothing before `begin`: nobody would hear it."""
        self._may_begin = False

    def change_session(self) -> None:
        """The browser is in another session: it gets everything, and speaks once the page hears it."""
        self._is_new_session = True
        self._may_begin = False

    def begin(self) -> None:
        """The page hears the agent."""
        if not self._may_begin:
            self._may_begin = True
            if self.is_ready:
                super().let_caller_in()

    def link_opened(self) -> None:
        self._reader.configure()

    def let_caller_in(self) -> None:
        self._is_resuming = self._has_late_outputs = self._is_new_session = False
        if self._may_begin:
            super().let_caller_in()

    def respond(self, purpose: Purpose, say: str = "", *, in_other_words: bool = False) -> None:
        """While the side channel was lost, the server has answered by itself."""
        is_answered = self._is_resuming and not self._has_late_outputs
        if not (is_answered and purpose in (Purpose.ANSWER, Purpose.MISSED)):
            super().respond(purpose, say, in_other_words=in_other_words)

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        super().stop_talking(server_stops_itself=server_stops_itself)
        if not (server_stops_itself and self._state.server_interrupts):
            self._send(_CLEAR)

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        """The server knows better what was heard, and has done it."""

    def replay(self, past: Sequence[Past]) -> None:
        """A session that lives on knows everything but the outputs of tools that ended meanwhile."""
        if self._is_new_session:
            super().replay(past)
            return
        self._is_resuming = True
        for entry in past:
            if not isinstance(entry, PastTool) or entry.output is None:
                continue
            if self._reader.tools.call_id_of(entry.request_id) is not None:
                self._has_late_outputs = True
                self.answer_tool(entry.request_id, entry.output, is_farewell=False)

    def _begin_session(self) -> None:
        earlier: SideChannelReader | None = getattr(self, "_reader", None)
        super()._begin_session()
        self._reader.watch = self._watch
        if earlier is not None and not self._is_new_session:
            self._reader.continue_from(earlier)


def without_formats(session: Mapping[str, object]) -> dict[str, object]:
    """The audio of a call over WebRTC is what was negotiated."""
    copy: dict[str, object] = json.loads(json.dumps(session))
    audio = copy.get("audio")
    for side in audio.values() if isinstance(audio, dict) else ():
        if isinstance(side, dict):
            side.pop("format", None)
    return copy


def _without_voice(session: Mapping[str, object]) -> dict[str, object]:
    audio = session.get("audio")
    heard = {side: value for side, value in audio.items() if side != "output"} if isinstance(audio, Mapping) else {}
    return {**session, "audio": heard}


_OWN = frozenset({
    "session.created", "session.updated", "error", "response.created", "response.output_item.added",
    "conversation.item.added", "conversation.item.done", "conversation.item.deleted",
    "response.output_audio_transcript.delta", "response.output_audio_transcript.done",
    "output_audio_buffer.started", "output_audio_buffer.stopped", "output_audio_buffer.cleared",
})  # fmt: skip
