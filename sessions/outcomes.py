"""What a tool decided, and what then happens to the call. Plain values: no Django."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a configured person, after the farewell was heard."""

    target_id: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up, after the farewell was heard and if the caller does not speak into it."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool's answer: `output` is the JSON string given to the model, `then` what the bridge does next."""

    output: str
    then: Transfer | EndCall | None = None
