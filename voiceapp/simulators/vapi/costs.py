"""What a call cost in US dollars: a part for each component, at simple rates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from voiceapp.simulators.vapi.assistants import CallSettings
from voiceapp.simulators.vapi.transcript import CallTranscript

_PER_MINUTE = {"transcriber": 0.01, "vapi": 0.05}
_PER_CHARACTER, _PER_PROMPT_TOKEN, _PER_COMPLETION_TOKEN = 0.00005, 0.0000025, 0.00001
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class CallCosts:
    parts: list[dict[str, Any]]

    @classmethod
    def of(cls, settings: CallSettings, transcript: CallTranscript, duration_s: float) -> CallCosts:
        minutes, characters = round(duration_s / 60, 4), transcript.spoken_characters
        assistant = settings.assistant
        prompt = _tokens(transcript.formatted) * max(1, sum(each["role"] == "bot" for each in transcript.messages))
        completion = characters // _CHARACTERS_PER_TOKEN
        named = {key: _named(assistant.get(key)) for key in ("transcriber", "model", "voice")}
        return cls([
            {"type": "transport", "provider": "vapi.websocket", "minutes": minutes, "cost": 0},
            {"type": "transcriber", "transcriber": named["transcriber"], "minutes": minutes,
             "cost": _rounded(minutes * _PER_MINUTE["transcriber"])},
            {"type": "model", "model": named["model"], "promptTokens": prompt, "completionTokens": completion,
             "cost": _rounded(prompt * _PER_PROMPT_TOKEN + completion * _PER_COMPLETION_TOKEN)},
            {"type": "voice", "voice": named["voice"], "characters": characters,
             "cost": _rounded(characters * _PER_CHARACTER)},
            {"type": "vapi", "subType": "normal", "minutes": minutes, "cost": _rounded(minutes * _PER_MINUTE["vapi"])},
        ])  # fmt: skip

    @property
    def total(self) -> float:
        return _rounded(sum(float(part["cost"]) for part in self.parts))

    def breakdown(self) -> dict[str, Any]:
        by_type = {str(part["type"]): part for part in self.parts}
        names = {"transport": "transport", "stt": "transcriber", "llm": "model", "tts": "voice", "vapi": "vapi"}
        return {
            **{name: by_type[kind]["cost"] for name, kind in names.items()},
            "total": self.total,
            "llmPromptTokens": by_type["model"]["promptTokens"],
            "llmCompletionTokens": by_type["model"]["completionTokens"],
            "ttsCharacters": by_type["voice"]["characters"],
        }


def _tokens(messages: list[dict[str, Any]]) -> int:
    return -(-len(json.dumps(messages)) // _CHARACTERS_PER_TOKEN)


def _named(given: dict[str, Any] | None) -> dict[str, Any]:
    """Only the names of a component, not its messages and tools."""
    return {key: value for key, value in (given or {}).items() if isinstance(value, str)}


def _rounded(dollars: float) -> float:
    return round(dollars, 6)
