"""What a session of livekit-agents reports, as the facts of a call: turns, response times, lines, usage."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from livekit.agents import AgentStateChangedEvent, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

from sessions.calls.briefing import Briefing
from sessions.calls.facts import Fact, LineSpoken, Speaker, TurnAnswered, TurnInterrupted, UsageReported
from sessions.calls.spending import Spending

TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


@dataclass(slots=True)
class _Answer:
    """To what the caller has said to its end."""

    noticed_ms: int
    first_audio_ms: int | None = None


class CallFacts:
    """`now_ms` is the call's clock. `turns` counts what the caller has said to its end. `heard_at`: when the caller
    hears what the agent says then, by `time.time`: its lines have this time.
    """

    def __init__(
        self,
        note: Callable[[Fact], None],
        briefing: Briefing,
        *,
        turns: int,
        since_ms: int,
        heard_at: Callable[[float], float],
    ) -> None:
        self._note, self._heard_at = note, heard_at
        self._briefing = briefing
        self._zero_s = time.time() - since_ms / 1000
        # OpenAI reports the end of speech after this silence; how long it thinks about the meaning is not known.
        detection = briefing.turn_detection
        self._silence_ms = detection.silence_ms if detection.kind == "server_vad" else None
        self._answer: _Answer | None = None
        self._agent_since_ms = -1
        self.turns = turns
        self.spending = Spending(briefing.limits.spending)

    @property
    def now_ms(self) -> int:
        return self._ms(time.time())

    def caller_typed(self) -> None:
        """A turn of the caller's. Its answer has no latency, which counts from the end of speech."""
        self.turns += 1
        self._answer = None

    def on_event(self, event: Mapping[str, Any]) -> None:
        """An event of OpenAI's, before livekit-agents handles it."""
        match event.get("type"):
            case "input_audio_buffer.speech_started":
                self._answer = None
            case "input_audio_buffer.speech_stopped":
                self.turns += 1
                self._answer = _Answer(self.now_ms)
            case "response.output_audio.delta":
                if self._answer is not None and self._answer.first_audio_ms is None:
                    self._answer.first_audio_ms = self.now_ms
            case "response.done":
                self._used("response", self._briefing.model, event.get("response", {}).get("usage"))
            case kind if kind == TRANSCRIBED:
                self._used("transcription", self._briefing.transcription_model, event.get("usage"))

    def on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._agent_since_ms = self._ms(event.created_at)
            self._answered(self._agent_since_ms)

    def on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage) or item.role not in ("user", "assistant"):
            return
        speaker = Speaker.CALLER if item.role == "user" else Speaker.AGENT
        text = (item.text_content or "").strip()
        if speaker is Speaker.AGENT and item.interrupted:
            heard_ms = max(0, self.now_ms - self._agent_since_ms) if self._agent_since_ms >= 0 else 0
            self._note(TurnInterrupted(self.turns, self.now_ms, heard_ms))
        if text:
            at_ms = self._ms(self._heard_at(item.created_at) if speaker is Speaker.AGENT else item.created_at)
            self._note(LineSpoken(item.id, speaker, text, at_ms, self.turns, is_cut=bool(item.interrupted)))

    def _used(self, source: str, model: str, usage: object) -> None:
        if isinstance(usage, Mapping):
            self._note(UsageReported(source, model, usage))
            self.spending.add(model, usage)

    def _answered(self, now_ms: int) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        ended_ms = max(0, answer.noticed_ms - (self._silence_ms or 0))
        first_ms = answer.first_audio_ms
        self._note(
            TurnAnswered(
                number=self.turns,
                speech_ended_ms=ended_ms,
                response_ms=now_ms - ended_ms,
                detection_ms=None if self._silence_ms is None else answer.noticed_ms - ended_ms,
                model_ms=None if first_ms is None else first_ms - answer.noticed_ms,
                playout_ms=None if first_ms is None else max(0, now_ms - first_ms),
            )
        )

    def _ms(self, at_s: float) -> int:
        return max(0, round((at_s - self._zero_s) * 1000))
