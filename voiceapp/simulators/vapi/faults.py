"""Fault injection by URL: `/fault/<name>[=<argument>]` before the path, several in a row.

The package's docstring lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceapp.simulators.fault_path import UnknownFault, read_faults
from voiceapp.simulators.model.tool_script import Script, read_script

_ARGUMENTS = {
    "refuse": "503", "flaky": "1", "slow": "1500", "refuse_socket": "503", "slow_socket": "1500", "stall": "3",
    "drop_after": "3", "close": "1011", "slow_model": "1500", "tools": "W10", "tool_shape": "sdk", "hang": "0",
    "late_webhooks": "500", "limit_s": "1", "hasty": "10",
}  # fmt: skip
_TEXTUAL = {"close", "tools", "tool_shape", "tag"}
_BARE = {
    "no_answer", "bad_json", "concurrency_blocked", "no_url", "no_monitor", "silent", "no_report", "report_first",
    "garbage", "text_audio", "steady_audio", "no_first_message", "no_interrupt", "deaf", "echo", "tool_ignored",
    "nested", "webhooks_twice", "webhooks_reordered", "webhooks_lost", "wrong_secret", "tag",
}  # fmt: skip
TOOL_SHAPES = ("sdk", "arguments", "parameters", "json", "legacy")


@dataclass(frozen=True, slots=True)
class VapiFaults:
    """The faults of a URL. `key` separates its counters from those of other URLs."""

    key: str = ""
    chosen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: str) -> VapiFaults:
        """Raises `UnknownFault`."""
        chosen = read_faults(path, arguments=_ARGUMENTS, bare=_BARE, textual=_TEXTUAL)
        if chosen.get("tool_shape", "sdk") not in TOOL_SHAPES:
            raise UnknownFault(f"tool_shape needs one of {', '.join(TOOL_SHAPES)}")
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

    def seconds(self, name: str) -> float:
        """The argument in milliseconds as seconds; 0 without the fault."""
        return self.number(name) / 1000

    def close_at(self) -> tuple[int, int] | None:
        """`close=1011@20` → code 1011 after 20 events; `close=1011` → after 3."""
        if "close" not in self.chosen:
            return None
        code, _, after = self.chosen["close"].partition("@")
        return int(code), int(after or 3)

    def script(self) -> Script:
        """`tools=…` → the tool calls of each of the first responses."""
        return read_script(self.chosen["tools"]) if "tools" in self.chosen else []


GARBAGE: tuple[str, ...] = (
    "{not json",
    "[" * 2000 + "]" * 2000,
    '"a string"',
    "[]",
    "{}",
    "null",
    '{"type": 7}',
    '{"type": "invented-update", "deep": {"er": [1, 2, 3]}}',
    '{"type": "transcript", "role": "user", "transcriptType": "final", "transcript": 12}',
    '{"type": "transcript", "role": "nobody", "transcript": null}',
    '{"type": "speech-update", "status": {"started": true}}',
    '{"type": "user-interrupted", "turnId": []}',
    '{"type": "status-update", "status": "confused"}',
    '{"message": {"type": null}}',
    '{"type": "tool-calls", "toolCallList": {"id": 1}}',
)
