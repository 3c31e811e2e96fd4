"""The caller's audio: the input buffer, the detection of turns, and their transcription."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Any

from voiceapp.simulators.model.audio_buffer import BYTES_PER_MS, AudioBuffer
from voiceapp.simulators.model.vad import SpeechStarted, SpeechStopped, TurnDetection, VoiceActivity
from voiceapp.simulators.openai.audio_formats import AudioDecoder, AudioFormat
from voiceapp.simulators.openai.items import ConversationItem
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session_state import SessionState
from voiceapp.simulators.openai.usage import transcription_usage

_MIN_COMMIT_MS = 100


class InputAudio:
    """`on_speech` is called when the caller starts to speak, `on_turn` when a turn ends."""

    def __init__(self, state: SessionState, *, on_speech: Callable[[], None], on_turn: Callable[[], None]) -> None:
        self._state, self._on_speech, self._on_turn = state, on_speech, on_turn
        self._buffer = AudioBuffer()
        self._transcribing: dict[str, asyncio.Task[None]] = {}
        self._unsent_transcripts: list[tuple[str, dict[str, Any]]] = []
        self._turn_start_ms, self._turn_item_id = 0, ""
        self.configure()

    @property
    def end_ms(self) -> int:
        return self._buffer.end_ms

    @property
    def is_speaking(self) -> bool:
        return self._activity is not None and self._activity.is_speaking

    def configure(self) -> None:
        """Take over the `audio.input` of the session."""
        settings = self._state.session["audio"]["input"]
        self._decoder = AudioDecoder(AudioFormat.of(settings["format"]))
        self.turn_detection = TurnDetection.of(settings["turn_detection"])
        self._restart_activity()

    def append(self, event: dict[str, Any]) -> None:
        try:
            raw = base64.b64decode(event["audio"], validate=True)
        except (binascii.Error, ValueError) as exc:
            message = "Invalid 'audio'. Expected base64-encoded audio bytes."
            raise InvalidRequest("invalid_value", message, "audio") from exc
        self.append_bytes(raw)

    def append_bytes(self, raw: bytes) -> None:
        """Audio in the format of the session."""
        audio = self._decoder.decode(raw)
        self._buffer.append(audio)
        if self._activity is None:
            return
        for change in self._activity.process(audio):
            if isinstance(change, SpeechStarted):
                self._start_speech(change)
            else:
                self._stop_speech(change)
        if not self._activity.is_speaking:
            self._buffer.drop_silence()

    def commit(self, event: dict[str, Any]) -> None:
        if self._buffer.length_ms < _MIN_COMMIT_MS:
            have = f"{self._buffer.length_ms:.2f}ms"
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has {have} of audio."  # noqa: E501 - theirs
            raise InvalidRequest("input_audio_buffer_commit_empty", message)
        self.add_turn(self._buffer.take_all(), self._state.ids.new("item"))
        self._restart_activity()

    def clear(self, event: dict[str, Any]) -> None:
        self._buffer.clear()
        self._restart_activity()
        self._state.sender.send("input_audio_buffer.cleared")

    def add_turn(self, pcm_8k: bytes, item_id: str) -> None:
        """Add an item for a turn of the caller, and transcribe it."""
        content = [{"type": "input_audio", "transcript": None}]
        wire = {
            "id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": content,
        }  # fmt: skip
        item = ConversationItem(item_id, wire, audio_ms=len(pcm_8k) // BYTES_PER_MS)
        before = self._state.items.add(item)
        self._state.sender.send("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self._state.send_item(item, before)
        self._transcribing[item_id] = self._state.spawn(self._transcribe(item, pcm_8k))

    async def wait_for_transcripts(self) -> None:
        if self._transcribing:
            await asyncio.wait(self._transcribing.values())

    def send_transcripts(self) -> None:
        transcripts, self._unsent_transcripts = self._unsent_transcripts, []
        for kind, fields in transcripts:
            self._state.sender.send(f"conversation.item.input_audio_transcription.{kind}", **fields)

    def _start_speech(self, change: SpeechStarted) -> None:
        self._turn_start_ms, self._turn_item_id = change.start_ms, self._state.ids.new("item")
        self._state.sender.send(
            "input_audio_buffer.speech_started", audio_start_ms=change.start_ms, item_id=self._turn_item_id
        )
        self._on_speech()

    def _stop_speech(self, change: SpeechStopped) -> None:
        self._state.sender.send(
            "input_audio_buffer.speech_stopped", audio_end_ms=change.end_ms, item_id=self._turn_item_id
        )
        self.add_turn(self._buffer.take(self._turn_start_ms, change.end_ms), self._turn_item_id)
        self._on_turn()

    def _restart_activity(self) -> None:
        turns = self.turn_detection
        self._activity = VoiceActivity(turns, now_ms=self._buffer.end_ms) if turns is not None else None

    async def _transcribe(self, item: ConversationItem, pcm_8k: bytes) -> None:
        state = self._state
        is_deaf = "deaf" in state.faults or not pcm_8k
        item.heard = "" if is_deaf else await state.model.recognize(pcm_8k, state.session["instructions"])
        transcript = state.model.transcript(item.heard)
        item.wire["content"][0]["transcript"] = transcript
        if state.session["audio"]["input"]["transcription"] is not None:
            place = {"item_id": item.id, "content_index": 0}
            if transcript:
                self._unsent_transcripts.append(("delta", {**place, "delta": transcript}))
            usage = transcription_usage(item.audio_ms)
            self._unsent_transcripts.append(("completed", {**place, "transcript": transcript, "usage": usage}))
            if "late_transcripts" not in state.faults:
                self.send_transcripts()
        self._transcribing.pop(item.id, None)
