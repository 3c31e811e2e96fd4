"""What a new session of the provider's is told of the call so far."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.calls.facts import Speaker


@dataclass(frozen=True, slots=True)
class PastLine:
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class PastTool:
    """A tool that was asked for; `output` is None while it waits or runs."""

    request_id: str
    name: str
    arguments: str
    output: str | None = None


Past = PastLine | PastTool
