"""Reads the caller's side of one session: speech, turns and transcripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telephony.bridge.core.events import (
    AgentEvent,
    CallerHeard,
    CallerTranscribed,
    Complaint,
    SpeechStarted,
    SpeechStopped,
    TurnCommitted,
    UsageSeen,
)
from telephony.bridge.core.stream_clock import StreamClock
from telephony.bridge.core.ulaw import BYTES_PER_MS

from . import frames as wire
from .caller_audio import CallerAudio
from .item_names import ItemNames
from .responses import ANSWER, ResponseSequencer
from .session import SessionState


class CallerTurns:
    """`CALLER_EVENTS` maps each type of server event to its reader."""

    __slots__ = (
        "_caller_audio",
        "_clock",
        "_names",
        "_sequencer",
        "_state",
    )

    def __init__(
        self,
        state: SessionState,
        *,
        sequencer: ResponseSequencer,
        names: ItemNames,
        clock: StreamClock,
        caller_audio: CallerAudio,
    ) -> None:
        self._state = state
        self._sequencer = sequencer
        self._names = names
        self._clock = clock
        self._caller_audio = caller_audio

    def speech_started(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._sequencer.speech_started()
        return [SpeechStarted(self._names.speech_began(event.item_id), self._stream_ms(event.audio_start_ms))]

    def speech_stopped(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._sequencer.speech_stopped(server_answers=self._state.server_answers)
        at_ms = self._stream_ms(event.audio_end_ms)
        if self._clock.end_ms - at_ms < self._state.settings.silence_ms:
            # Silence is noticed only after it has lasted that long; a later end must have counted it in.
            at_ms = max(0, at_ms - self._state.settings.silence_ms)
        return [SpeechStopped(self._names.of_caller(event.item_id), at_ms)]

    def committed(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._sequencer.turn_committed(server_answers=self._state.server_answers)
        if not (self._state.server_answers or self._state.is_guarding):
            self._sequencer.want(ANSWER)
        return [TurnCommitted(self._names.committed(event.item_id))]

    def transcribed(self, event: wire.ServerEvent) -> list[AgentEvent]:
        events: list[AgentEvent] = [CallerTranscribed(self._names.transcribed(event.item_id), event.transcript)]
        if event.usage is not None:
            events.append(UsageSeen("transcription", event.usage))
        return events

    def transcribing(self, event: wire.ServerEvent) -> list[AgentEvent]:
        return [CallerHeard(self._names.of_caller(event.item_id), event.delta)]

    def not_transcribed(self, event: wire.ServerEvent) -> list[AgentEvent]:
        self._names.transcribed(event.item_id)
        error = event.error or wire.ErrorBody()
        return [Complaint("transcription_failed", error.code or "")]

    def _stream_ms(self, session_ms: float) -> int:
        """The session counts the audio it was given; its newest byte is where the stream's clock stands."""
        ago_ms = self._caller_audio.session_bytes // BYTES_PER_MS - session_ms
        return max(0, min(self._clock.end_ms, int(self._clock.end_ms - ago_ms)))


CALLER_EVENTS: Mapping[str, Callable[[CallerTurns, wire.ServerEvent], list[AgentEvent]]] = {
    "input_audio_buffer.speech_started": CallerTurns.speech_started,
    "input_audio_buffer.speech_stopped": CallerTurns.speech_stopped,
    "input_audio_buffer.committed": CallerTurns.committed,
    "conversation.item.input_audio_transcription.delta": CallerTurns.transcribing,
    "conversation.item.input_audio_transcription.completed": CallerTurns.transcribed,
    "conversation.item.input_audio_transcription.failed": CallerTurns.not_transcribed,
}
