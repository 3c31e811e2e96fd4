"""The conversation as the model knows it: what the caller and the agent said, and the tools that were called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """`text`: what was recognized (None: nothing). `is_replayed`: brought as text, because callers speak."""

    text: str | None
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """`text`: what the caller heard of it. `is_verbatim`: the text was requested, it responds to nothing."""

    text: str
    is_verbatim: bool = False


@dataclass(frozen=True, slots=True)
class ToolRequest:
    call_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`output` is what the tool returned; a text that is no JSON object has no fields."""

    call_id: str
    output: dict[str, Any]


Turn = CallerTurn | AgentTurn | ToolRequest | ToolResult


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A tool as the model sees it; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, definition: Mapping[str, Any]) -> FunctionTool:
        """From a definition with `name`, `description` and `parameters`."""
        return cls(
            str(definition.get("name") or ""),
            str(definition.get("description") or ""),
            definition.get("parameters") or {},
        )


@dataclass(frozen=True, slots=True)
class ModelBrief:
    """What a model is given before the call."""

    instructions: str
    tools: tuple[FunctionTool, ...] = ()

    @classmethod
    def of(cls, instructions: str | None, tools: Iterable[Mapping[str, Any]] | None) -> ModelBrief:
        return cls(instructions or "", tuple(FunctionTool.of(each) for each in tools or ()))

    def tool(self, name: str) -> FunctionTool | None:
        return next((tool for tool in self.tools if tool.name == name), None)
