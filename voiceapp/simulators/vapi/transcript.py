"""What was said and done in a call, in the two shapes that VAPI reports: its own messages and OpenAI's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.model.agent.outputs import FunctionCall
from voiceapp.simulators.model.conversation import AgentTurn, CallerTurn, ToolRequest, ToolResult, Turn


@dataclass(slots=True)
class CallTranscript:
    """`turns` is the conversation as the model knows it."""

    instructions: str
    started_at_s: float = field(default_factory=time.time)
    messages: list[dict[str, Any]] = field(default_factory=list)
    formatted: list[dict[str, Any]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.instructions:
            self._add("system", message=self.instructions)
            self.formatted.append({"role": "system", "content": self.instructions})

    @property
    def text(self) -> str:
        """`AI: …` and `User: …`, one line for each."""
        names = {"bot": "AI", "user": "User"}
        said = [f"{names[each['role']]}: {each['message']}" for each in self.messages if each["role"] in names]
        return "".join(f"{line}\n" for line in said)

    @property
    def spoken_characters(self) -> int:
        return sum(len(each["message"]) for each in self.messages if each["role"] == "bot")

    def add_caller(self, heard: str | None, transcript: str, *, duration_ms: int) -> None:
        """A turn of the caller; without a transcript nothing was understood."""
        self.turns.append(CallerTurn(heard))
        if transcript:
            self._add("user", message=transcript, duration_ms=duration_ms)
            self.formatted.append({"role": "user", "content": transcript})

    def add_agent(self, text: str, *, is_verbatim: bool, duration_ms: int) -> None:
        self.turns.append(AgentTurn(text, is_verbatim))
        if text:
            self._add("bot", message=text, duration_ms=duration_ms, source="")
            self.formatted.append({"role": "assistant", "content": text})

    def add_text(self, role: str, content: str) -> None:
        """A message that the client adds to the history: replayed, because callers speak, or a pressed key."""
        if role == "user":
            self.turns.append(CallerTurn(content, is_replayed=not content.startswith("[")))
        elif role in ("assistant", "bot"):
            self.turns.append(AgentTurn(content, is_verbatim=True))
        self._add({"assistant": "bot"}.get(role, role), message=content)
        self.formatted.append({"role": role, "content": content})

    def add_tool_calls(self, calls: Mapping[str, FunctionCall]) -> None:
        """`calls` by their ids."""
        wire = [tool_call(call_id, call) for call_id, call in calls.items()]
        self.turns += [ToolRequest(call_id, call.name, call.arguments) for call_id, call in calls.items()]
        self._add("tool_calls", message="", toolCalls=wire)
        self.formatted.append({"role": "assistant", "content": "", "tool_calls": wire})

    def add_tool_result(self, call_id: str, name: str, result: str, *, is_error: bool = False) -> None:
        self.turns.append(ToolResult(call_id, _read(result, is_error=is_error)))
        self._add("tool_call_result", toolCallId=call_id, name=name, result=result)
        self.formatted.append({"role": "tool", "tool_call_id": call_id, "content": result})

    def _add(self, role: str, *, duration_ms: int | None = None, **fields: Any) -> None:
        """`duration` is in milliseconds, though documented as seconds (protocols.md, C3)."""
        at_s = time.time()
        began_s = at_s - (duration_ms or 0) / 1000
        message = {
            "role": role, "time": round(began_s * 1000), "secondsFromStart": round(began_s - self.started_at_s, 3),
            **fields,
        }  # fmt: skip
        if duration_ms is not None:
            message |= {"endTime": round(at_s * 1000), "duration": duration_ms}
        self.messages.append(message)


def tool_call(call_id: str, call: FunctionCall) -> dict[str, Any]:
    """As OpenAI writes it: the arguments are a text."""
    return {
        "id": call_id, "type": "function",
        "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
    }  # fmt: skip


def _read(result: str, *, is_error: bool) -> dict[str, Any]:
    """A model reads any text; one that is a JSON object has fields."""
    try:
        read = json.loads(result)
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {"ok": not is_error, "say": result}
