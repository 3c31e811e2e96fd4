"""The caller's audio in a call: when the caller speaks, and what was said."""

from __future__ import annotations

from collections.abc import Callable

from voiceapp.simulators.model.audio_buffer import BYTES_PER_MS, AudioBuffer
from voiceapp.simulators.model.vad import SpeechStarted, TurnDetection, VoiceActivity
from voiceapp.simulators.vapi.audio_format import AudioFormat


class Ear:
    """`on_speech` is called when the caller starts to speak, `on_turn` with the audio of a whole turn, 8 kHz.

    `heard` gets all audio as it comes.
    """

    def __init__(
        self, audio_format: AudioFormat, *, pause_ms: int, on_speech: Callable[[], None],
        on_turn: Callable[[bytes], None], heard: Callable[[bytes], None],
    ) -> None:  # fmt: skip
        self._heard = heard
        self._decode, self._on_speech, self._on_turn = audio_format.decoder(), on_speech, on_turn
        self._buffer = AudioBuffer()
        self._activity = VoiceActivity(TurnDetection(silence_ms=pause_ms))
        self._start_ms = 0
        self.is_muted = False

    @property
    def hears_speech(self) -> bool:
        return self._activity.is_speaking

    def receive(self, raw: bytes) -> None:
        pcm_8k = self._decode(raw)
        if self.is_muted:
            pcm_8k = bytes(len(pcm_8k))
        self._heard(pcm_8k)
        self._buffer.append(pcm_8k)
        for change in self._activity.process(pcm_8k):
            if isinstance(change, SpeechStarted):
                self._start_ms = change.start_ms
                self._on_speech()
            else:
                self._on_turn(self._buffer.take(self._start_ms, change.end_ms))
        if not self._activity.is_speaking:
            self._buffer.drop_silence()


def length_ms(pcm_8k: bytes) -> int:
    return len(pcm_8k) // BYTES_PER_MS
