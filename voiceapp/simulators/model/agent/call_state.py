"""The state of a call from its conversation: the order, the results of tools, the last words of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.model.conversation import AgentTurn, CallerTurn, ToolRequest, ToolResult, Turn

Change = dict[str, Any]
_CHANGES = ("change_order", "choose_appointment")


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A function call and its output; None while there is none."""

    name: str
    arguments: dict[str, Any]
    output: dict[str, Any] | None

    @property
    def is_ok(self) -> bool:
        return self.output is not None and self.output.get("ok") is True

    @property
    def say(self) -> str:
        return str((self.output or {}).get("say") or "")


@dataclass(slots=True)
class CallState:
    """`new_results`: tools whose output arrived after the caller's last words and was not spoken yet.

    `said`: the words of the caller, since an appointment was booked; `last_said`: those of the agent's last turn.
    `is_read_back`: the order, or the appointment, as it is now.
    """

    heard: CallerTurn | None = None
    said: list[str] = field(default_factory=list)
    last_said: str = ""
    new_results: list[ToolUse] = field(default_factory=list)
    uses: list[ToolUse] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    has_replayed_text: bool = False
    is_read_back: bool = False
    is_submitted: bool = False

    @property
    def may_have_ordered(self) -> bool:
        """After a reconnect only text is replayed: the order, if there is one, is known to the tools alone."""
        return bool(self.lines) or (self.has_replayed_text and not self.uses)

    @property
    def last_change(self) -> ToolUse | None:
        return next((use for use in reversed(self.uses) if use.name == "change_order"), None)

    @property
    def last(self) -> ToolUse | None:
        return self.uses[-1] if self.uses else None

    def line_of(self, item: str) -> dict[str, Any] | None:
        """The newest line of an item."""
        return next((line for line in reversed(self.lines) if str(line.get("item", "")).lower() == item.lower()), None)

    def line_of_change(self, change: Change) -> dict[str, Any]:
        return next((line for line in self.lines if line.get("line") == change.get("line")), {})

    def line_with(self, modifier: str) -> dict[str, Any] | None:
        """The newest line with this modifier, otherwise the last line."""
        found = [line for line in self.lines if modifier in (line.get("modifiers") or [])]
        return found[-1] if found else self.last_line()

    def last_line(self) -> dict[str, Any] | None:
        """The line of the last successful change, otherwise the newest line."""
        for use in reversed(self.uses):
            if use.name != "change_order" or not use.is_ok:
                continue
            for change in reversed(use.arguments.get("changes") or []):
                if (number := change.get("line")) is not None:
                    found = next((line for line in self.lines if line.get("line") == number), None)
                else:
                    found = self.line_of(str(change.get("item", "")))
                if found is not None:
                    return found
        return self.lines[-1] if self.lines else None


def call_state_of(conversation: Sequence[Turn]) -> CallState:
    """Read the conversation once."""
    state = CallState()
    requests: dict[str, ToolRequest] = {}
    for turn in conversation:
        if isinstance(turn, ToolRequest):
            requests[turn.call_id] = turn
        elif isinstance(turn, ToolResult):
            request = requests.get(turn.call_id) or ToolRequest(turn.call_id, "", {})
            _add_result(state, ToolUse(request.name, request.arguments, turn.output))
        elif isinstance(turn, CallerTurn):
            state.has_replayed_text |= state.heard is not None and state.heard.is_replayed
            state.heard, state.new_results = turn, []
            state.said.append(turn.text or "")
        elif isinstance(turn, AgentTurn):
            state.last_said = turn.text
            if turn.text and not turn.is_verbatim:
                state.new_results = []
    return state


def _add_result(state: CallState, use: ToolUse) -> None:
    state.uses.append(use)
    state.new_results.append(use)
    order = (use.output or {}).get("order")
    if isinstance(order, dict) and isinstance(order.get("lines"), list):
        state.lines = [line for line in order["lines"] if isinstance(line, dict)]
    if use.name in _CHANGES and use.is_ok:
        state.is_read_back = state.is_submitted = False
    elif use.name in ("read_back_order", "read_back_appointment"):
        state.is_read_back = use.is_ok
    elif use.name == "book_appointment":
        state.is_read_back = False
        if use.is_ok:
            state.said.clear()
    elif use.name == "submit_order":
        state.is_submitted, state.is_read_back = use.is_ok, False
