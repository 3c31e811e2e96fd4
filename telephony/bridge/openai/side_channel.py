"""OpenAI Realtime where the caller talks to it over WebRTC: we follow the call on its side channel (protocols.md, B1).

Audio never passes here. The server plays what the agent says, cuts it when the caller speaks, and truncates its items
to what was heard; `output_audio_buffer.*` says when a response begins and ends to be heard.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence

from telephony.bridge.core.agent_item import AUDIBLE_BYTES, AgentItem
from telephony.bridge.core.events import AgentAudio, AgentEvent, Complaint, PlayedByProvider
from telephony.bridge.core.remote_playout import begun, ended
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.transcript import Past, spoken_ms

from . import frames as wire
from .caller_turns import CallerTurns
from .dialect import OpenAIDialect
from .reader import OpenAIReader

# Stands for audio that was played elsewhere: the least that counts as heard.
HEARD_ELSEWHERE = b64encode(bytes(AUDIBLE_BYTES)).decode()
_CLEAR = '{"type":"output_audio_buffer.clear"}'


class SideChannelTurns(CallerTurns):
    """The session counts the audio of a connection that we do not see: an event is placed when it comes."""

    def _stream_ms(self, session_ms: float) -> int:
        return self._clock.now_ms


class SideChannelReader(OpenAIReader):
    """The frames of a side channel."""

    turns = SideChannelTurns
    _heard_id = ""  # the response that is heard

    def receive(self, text: str) -> tuple[AgentItem, str] | list[AgentEvent] | None:
        """`AgentDialect.receive`. Raises BadFrame."""
        event = wire.parse_event(text, _OWN)
        if event is None:
            return super().receive(text)
        match event.type:
            case "session.updated":
                return self.session_updated(event)
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
        """The caller's own page has the same rights as we: what it changes, we change back."""
        state = self._state
        if not state.is_ready or state.is_updating:
            return super().session_updated(event)
        state.is_updating = True
        self._send(wire.session_update(state.settings.guarded if state.is_guarding else state.settings.normal))
        return [Complaint("session_changed_by_page", "session.update")]

    def is_usable(self, session: wire.Session) -> bool:
        return True

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

    def __init__(self, session: Mapping[str, object], clock: StreamClock, *, protects_greeting: bool) -> None:
        super().__init__(_without_formats(session), clock, protects_greeting=protects_greeting)

    def stop_talking(self, *, server_stops_itself: bool) -> None:
        super().stop_talking(server_stops_itself=server_stops_itself)
        if not (server_stops_itself and self._state.server_interrupts):
            self._send(_CLEAR)

    def truncate(self, item: AgentItem, heard_ms: int, heard_text: str) -> None:
        """The server knows better what was heard, and has done it."""

    def replay(self, past: Sequence[Past]) -> None:
        """The session lives on: it knows everything."""


def _without_formats(session: Mapping[str, object]) -> dict[str, object]:
    """The audio of a call over WebRTC is what was negotiated."""
    copy: dict[str, object] = json.loads(json.dumps(session))
    audio = copy.get("audio")
    for side in audio.values() if isinstance(audio, dict) else ():
        if isinstance(side, dict):
            side.pop("format", None)
    return copy


_OWN = frozenset({
    "session.updated", "response.output_audio_transcript.delta", "response.output_audio_transcript.done",
    "output_audio_buffer.started", "output_audio_buffer.stopped", "output_audio_buffer.cleared",
})  # fmt: skip
