"""What a session of livekit-agents reports, as the facts of a call: turns, response times, lines, usage."""

from __future__ import annotations

import time
from collections.abc import Callable

from livekit.agents import AgentStateChangedEvent, ConversationItemAddedEvent, UserStateChangedEvent
from livekit.agents.llm import ChatMessage
from livekit.agents.metrics import RealtimeModelMetrics

from sessions.calls.briefing import Briefing
from sessions.calls.facts import Fact, LineSpoken, Speaker, TurnAnswered, TurnInterrupted, UsageReported


class CallFacts:
    """`now_ms` is the call's clock. `turns` counts what the caller has said to its end."""

    def __init__(self, note: Callable[[Fact], None], briefing: Briefing, *, turns: int, since_ms: int) -> None:
        self._note = note
        self._briefing = briefing
        self._zero_s = time.time() - since_ms / 1000
        self._detection = briefing.turn_detection
        self._silence_ms = self._detection.silence_ms if self._detection.kind == "server_vad" else 0
        self._stopped_ms = -1
        self._agent_since_ms = -1
        self.turns = turns

    def ms(self, at_s: float) -> int:
        return max(0, round((at_s - self._zero_s) * 1000))

    @property
    def now_ms(self) -> int:
        return self.ms(time.time())

    def on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._stopped_ms = -1
        elif event.old_state == "speaking":
            self.turns += 1
            self._stopped_ms = self.ms(event.created_at)

    def on_agent_state(self, event: AgentStateChangedEvent) -> None:
        now_ms = self.ms(event.created_at)
        if event.new_state == "speaking":
            self._agent_since_ms = now_ms
            self._answered(now_ms)

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
            at_ms = self.ms(item.created_at)
            self._note(LineSpoken(item.id, speaker, text, at_ms, self.turns, is_cut=bool(item.interrupted)))

    def on_usage(self, metrics: object) -> None:
        """Metrics of one response; others are not of the model."""
        if not isinstance(metrics, RealtimeModelMetrics):
            return
        usage = {
            "total_tokens": metrics.total_tokens,
            "input_tokens": metrics.input_tokens,
            "output_tokens": metrics.output_tokens,
            "input_token_details": metrics.input_token_details.model_dump(exclude_none=True),
            "output_token_details": metrics.output_token_details.model_dump(exclude_none=True),
        }
        self._note(UsageReported("response", self._briefing.model, usage))

    def _answered(self, now_ms: int) -> None:
        if self._stopped_ms < 0:
            return
        ended_ms, noticed_ms = max(0, self._stopped_ms - self._silence_ms), self._stopped_ms
        self._stopped_ms = -1
        self._note(
            TurnAnswered(
                number=self.turns,
                speech_ended_ms=ended_ms,
                response_ms=now_ms - ended_ms,
                detection_ms=noticed_ms - ended_ms,
                model_ms=now_ms - noticed_ms,
                playout_ms=None,
            )
        )
