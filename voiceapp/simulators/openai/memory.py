"""What the conversation so far tells: the order as the last tool saw it, what was asked last, what was refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.openai.conversation import Item

Change = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """A tool that was used and what it answered; `output` is None while it has not."""

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
class Memory:
    """`fresh`: tools that answered after the caller's last words, which nobody has spoken of yet."""

    heard: Item | None = None
    fresh: list[Use] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    has_replayed_words: bool = False
    is_read_back: bool = False
    is_submitted: bool = False

    @property
    def may_have_ordered(self) -> bool:
        """After a reconnect only words are replayed: the order, if there is one, is known to the tools alone."""
        return bool(self.lines) or (self.has_replayed_words and not self.uses)

    @property
    def last_change(self) -> Use | None:
        return next((use for use in reversed(self.uses) if use.name == "change_order"), None)

    @property
    def last(self) -> Use | None:
        return self.uses[-1] if self.uses else None

    def line_of(self, item: str) -> dict[str, Any] | None:
        """The newest line of an item."""
        return next((line for line in reversed(self.lines) if str(line.get("item", "")).lower() == item.lower()), None)

    def last_line(self) -> dict[str, Any] | None:
        """The line spoken of last: what the last change that was made named, else the newest."""
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


def remember(items: Sequence[Item]) -> Memory:
    """Walk the conversation once."""
    memory = Memory()
    asked: dict[str, tuple[str, dict[str, Any]]] = {}
    for item in items:
        wire = item.wire
        if item.kind == "function_call":
            asked[str(wire.get("call_id"))] = (str(wire.get("name")), _read(wire.get("arguments")))
        elif item.kind == "function_call_output":
            name, arguments = asked.get(str(wire.get("call_id")), ("", {}))
            _note(memory, Use(name, arguments, _read(wire.get("output"))))
        elif item.role == "user":
            memory.has_replayed_words |= memory.heard is not None and _is_typed(memory.heard)
            memory.heard, memory.fresh = item, []
        elif item.role == "assistant" and not item.is_verbatim and memory.fresh and item.text:
            memory.fresh = []
    return memory


def _is_typed(item: Item) -> bool:
    """Words brought by the client: replayed ones, for callers speak; pressed keys stand in brackets."""
    content = item.wire.get("content") or [{}]
    return content[0].get("type") == "input_text" and not (item.heard or "").startswith("[")


def _note(memory: Memory, use: Use) -> None:
    memory.uses.append(use)
    memory.fresh.append(use)
    order = (use.output or {}).get("order")
    if isinstance(order, dict) and isinstance(order.get("lines"), list):
        memory.lines = [line for line in order["lines"] if isinstance(line, dict)]
    if use.name == "change_order" and use.is_ok:
        memory.is_read_back = memory.is_submitted = False
    elif use.name == "read_back_order":
        memory.is_read_back = use.is_ok
    elif use.name == "submit_order":
        memory.is_submitted, memory.is_read_back = use.is_ok, False


def _read(text: object) -> dict[str, Any]:
    try:
        read = json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
