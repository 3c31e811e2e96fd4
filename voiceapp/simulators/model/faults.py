"""The faults that the simulators of AI providers share: scripted tools, a close after some events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from voiceapp.simulators.fault_path import UnknownFault

from .tool_script import Script, read_script


@dataclass(frozen=True, slots=True)
class ModelFaults:
    """The faults of a URL. `key` separates its counters from those of other URLs."""

    key: str = ""
    chosen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def checked(cls, path: str, chosen: dict[str, str]) -> Self:
        """Raises `UnknownFault`."""
        if "tools" in chosen:
            try:
                read_script(chosen["tools"])
            except ValueError as exc:
                raise UnknownFault("tools needs a script made by tools_fault()") from exc
        return cls(path, chosen)

    def __contains__(self, name: str) -> bool:
        return name in self.chosen

    def number(self, name: str, default: int = 0) -> int:
        return int(self.chosen[name]) if name in self.chosen else default

    def close_at(self) -> tuple[int, int] | None:
        """`close=1011@20` → code 1011 after 20 events of the server; `close=1011` → after 3."""
        if "close" not in self.chosen:
            return None
        code, _, after = self.chosen["close"].partition("@")
        return int(code), int(after or 3)

    def script(self) -> Script:
        """`tools=…` → the tool calls of each of the first responses."""
        return read_script(self.chosen["tools"]) if "tools" in self.chosen else []
