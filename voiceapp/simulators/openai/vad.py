"""Voice activity detection: when the caller began to speak and when he stopped, on the clock of the audio itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FRAME_MS = 20
_FRAME_BYTES = FRAME_MS * 16
_QUIETEST_DB, _LOUDEST_FLOOR_DB = -65.0, -38.0
_ONSET_FRAMES = 3

# OpenAI ends a semantic turn when the words sound finished; here eagerness is a pause, well under its maxima.
_SEMANTIC_SILENCE_MS = {"low": 1000, "medium": 600, "auto": 600, "high": 300}


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`start_ms` includes the padding before the first sound."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """`end_ms` includes the silence that was waited for."""

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
    """Energy over an adaptive noise floor: at the default threshold, a frame 15 dB above the floor is voice.

    Times count all audio ever given, in ms, like `audio_start_ms` and `audio_end_ms` (protocols.md, B5).
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

    def hear(self, pcm_8k: bytes) -> list[SpeechStarted | SpeechStopped]:
        sound = self._rest + pcm_8k
        whole = len(sound) - len(sound) % _FRAME_BYTES
        self._rest = sound[whole:]
        found: list[SpeechStarted | SpeechStopped] = []
        if not whole:
            return found
        frames = np.frombuffer(sound[:whole], dtype="<i2").reshape(-1, _FRAME_BYTES // 2).astype(np.float64)
        levels = 10 * np.log10((frames**2).mean(axis=1) / 32768**2 + 1e-10)
        for level in levels.tolist():
            self._now_ms += FRAME_MS
            event = self._silence_or_more(level) if self.is_speaking else self._maybe_voice(level)
            if event is not None:
                found.append(event)
        return found

    def _is_voice(self, level_db: float) -> bool:
        likelihood = (level_db - self._floor_db - 5) / 20
        return likelihood >= self.settings.threshold

    def _maybe_voice(self, level_db: float) -> SpeechStarted | None:
        if not self._is_voice(level_db):
            self._loud_frames = 0
            pace = 0.05 if level_db > self._floor_db else 0.3
            drifted = self._floor_db + pace * (level_db - self._floor_db)
            self._floor_db = min(max(drifted, _QUIETEST_DB), _LOUDEST_FLOOR_DB)
            return None
        self._loud_frames += 1
        if self._loud_frames < _ONSET_FRAMES:
            return None
        self.is_speaking, self._quiet_ms, self._loud_frames = True, 0, 0
        onset_ms = self._now_ms - _ONSET_FRAMES * FRAME_MS
        return SpeechStarted(max(onset_ms - self.settings.prefix_padding_ms, self._turn_end_ms, 0))

    def _silence_or_more(self, level_db: float) -> SpeechStopped | None:
        # The end of a word is softer than its beginning: 4 dB less is enough to go on.
        if self._is_voice(level_db + 4):
            self._quiet_ms = 0
            return None
        self._quiet_ms += FRAME_MS
        if self._quiet_ms < self.settings.silence_ms:
            return None
        self.is_speaking, self._turn_end_ms = False, self._now_ms
        return SpeechStopped(self._now_ms)
