"""Voice activity detection: when the caller starts and stops to speak, on the clock of the audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FRAME_MS = 20
_FRAME_BYTES = FRAME_MS * 16
_QUIETEST_DB, _LOUDEST_FLOOR_DB = -65.0, -38.0
_ONSET_FRAMES = 3

# OpenAI ends a semantic turn when the sentence sounds complete; here eagerness is the length of a pause.
_SEMANTIC_SILENCE_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`start_ms` includes the padding before the speech."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """`end_ms` includes the silence that ended the turn."""

    end_ms: int


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """`audio.input.turn_detection`, with the defaults filled in."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None

    @classmethod
    def of(cls, config: dict[str, Any] | None) -> TurnDetection | None:
        if config is None:
            return None
        shared = {"create_response": config["create_response"], "interrupt_response": config["interrupt_response"]}
        if config["type"] == "semantic_vad":
            return cls(silence_ms=_SEMANTIC_SILENCE_MS[config["eagerness"]], **shared)
        return cls(
            threshold=config["threshold"],
            prefix_padding_ms=config["prefix_padding_ms"],
            silence_ms=config["silence_duration_ms"],
            idle_timeout_ms=config["idle_timeout_ms"],
            **shared,
        )


class VoiceActivity:
    """Energy over an adaptive noise floor: at the default threshold, a frame 15 dB above the floor is speech.

    Times are on the clock of all audio ever received, like `audio_start_ms` and `audio_end_ms` (protocols.md, B5).
    """

    def __init__(self, settings: TurnDetection, *, now_ms: int = 0) -> None:
        self.settings = settings
        self.is_speaking = False
        self._now_ms = now_ms
        self._rest = b""
        self._floor_db = -60.0
        self._loud_frames = 0
        self._quiet_ms = 0
        self._turn_end_ms = now_ms

    def process(self, pcm_8k: bytes) -> list[SpeechStarted | SpeechStopped]:
        audio = self._rest + pcm_8k
        whole = len(audio) - len(audio) % _FRAME_BYTES
        self._rest = audio[whole:]
        found: list[SpeechStarted | SpeechStopped] = []
        if not whole:
            return found
        frames = np.frombuffer(audio[:whole], dtype="<i2").reshape(-1, _FRAME_BYTES // 2).astype(np.float64)
        levels = 10 * np.log10((frames**2).mean(axis=1) / 32768**2 + 1e-10)
        for level in levels.tolist():
            self._now_ms += FRAME_MS
            event = self._detect_end(level) if self.is_speaking else self._detect_start(level)
            if event is not None:
                found.append(event)
        return found

    def _is_voice(self, level_db: float) -> bool:
        likelihood = (level_db - self._floor_db - 5) / 20
        return likelihood >= self.settings.threshold

    def _detect_start(self, level_db: float) -> SpeechStarted | None:
        if not self._is_voice(level_db):
            self._loud_frames = 0
            rate = 0.05 if level_db > self._floor_db else 0.3
            drifted = self._floor_db + rate * (level_db - self._floor_db)
            self._floor_db = min(max(drifted, _QUIETEST_DB), _LOUDEST_FLOOR_DB)
            return None
        self._loud_frames += 1
        if self._loud_frames < _ONSET_FRAMES:
            return None
        self.is_speaking, self._quiet_ms, self._loud_frames = True, 0, 0
        onset_ms = self._now_ms - _ONSET_FRAMES * FRAME_MS
        return SpeechStarted(max(onset_ms - self.settings.prefix_padding_ms, self._turn_end_ms, 0))

    def _detect_end(self, level_db: float) -> SpeechStopped | None:
        # The end of a word is softer than its start: 4 dB less still counts as speech.
        if self._is_voice(level_db + 4):
            self._quiet_ms = 0
            return None
        self._quiet_ms += FRAME_MS
        if self._quiet_ms < self.settings.silence_ms:
            return None
        self.is_speaking, self._turn_end_ms = False, self._now_ms
        return SpeechStopped(self._now_ms)
