"""Fault injection by URL: `/fault/<name>[=<argument>]` before the path, several in a row.

The package's docstring lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

from voiceapp.simulators.fault_path import UnknownFault, read_faults
from voiceapp.simulators.model.faults import ModelFaults

_ARGUMENTS = {
    "refuse": "503", "flaky": "1", "slow": "1500", "refuse_socket": "503", "slow_socket": "1500", "stall": "3",
    "drop_after": "3", "close": "1011", "slow_model": "1500", "tools": "W10", "tool_shape": "sdk", "hang": "0",
    "late_webhooks": "500", "limit_s": "1", "hasty": "10", "recording_late": "1500",
}  # fmt: skip
_TEXTUAL = {"close", "tools", "tool_shape", "tag"}
_BARE = {
    "no_answer", "bad_json", "concurrency_blocked", "no_url", "no_monitor", "silent", "no_report", "report_first",
    "garbage", "text_audio", "steady_audio", "no_first_message", "no_interrupt", "deaf", "echo", "tool_ignored",
    "nested", "webhooks_twice", "webhooks_reordered", "webhooks_lost", "wrong_secret", "tag",
    "no_recording", "recording_mono", "recording_redirect", "recording_moved", "recording_cut",
}  # fmt: skip
TOOL_SHAPES = ("sdk", "arguments", "parameters", "json", "legacy")


@dataclass(frozen=True, slots=True)
class VapiFaults(ModelFaults):
    """Those of a URL of this simulator."""

    @classmethod
    def of(cls, path: str) -> VapiFaults:
        """Raises `UnknownFault`."""
        chosen = read_faults(path, arguments=_ARGUMENTS, bare=_BARE, textual=_TEXTUAL)
        if chosen.get("tool_shape", "sdk") not in TOOL_SHAPES:
            raise UnknownFault(f"tool_shape needs one of {', '.join(TOOL_SHAPES)}")
        return cls.checked(path, chosen)

    def seconds(self, name: str) -> float:
        """The argument in milliseconds as seconds; 0 without the fault."""
        return self.number(name) / 1000


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
