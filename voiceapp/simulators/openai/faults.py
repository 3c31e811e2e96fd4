"""Fault injection by URL: `/fault/<name>[=<argument>]` before `/v1`, several in a row.

The package's docstring lists them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceapp.simulators.openai.agent.outputs import FunctionCall

_ARGUMENT = {
    "refuse": "500", "drop_after": "5", "close": "1011", "stall": "10", "slow": "1500", "big_frame": "5",
    "session_limit_s": "5", "fail_response": "once", "error_event": "server_error", "flaky": "1", "redirect": "307",
    "tools": "W10", "ends": "empty", "limited": "4000", "slow_connect": "600",
}  # fmt: skip
_BARE = {
    "accept_hang", "drop_in_response", "silent", "garbage", "no_interrupt", "late_transcripts", "deaf", "echo", "tag",
    "hang", "drip", "count_ids",
}  # fmt: skip
_TEXTUAL = {"fail_response", "error_event", "tag", "close", "tools", "ends"}
ENDINGS = ("empty", "text", "mute", "cut", "filtered", "cancelled", "odd", "never", "unborn")


Script = list[list[FunctionCall]]


class UnknownFault(ValueError):
    """The URL has a fault that does not exist."""


@dataclass(frozen=True, slots=True)
class OpenAIFaults:
    """The faults of a URL. `key` separates its counters from those of other URLs."""

    key: str = ""
    chosen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: str) -> OpenAIFaults:
        """`fault/slow=300/fault/no_interrupt` → two faults. Raises `UnknownFault`."""
        parts = [part for part in path.split("/") if part]
        if len(parts) % 2 or any(part != "fault" for part in parts[::2]):
            raise UnknownFault(f"not a path of faults: {path}")
        chosen: dict[str, str] = {}
        for part in parts[1::2]:
            name, _, argument = part.partition("=")
            if name not in _ARGUMENT and name not in _BARE:
                raise UnknownFault(f"unknown fault: {name}")
            chosen[name] = argument or _ARGUMENT.get(name, "")
            if name in _ARGUMENT and name not in _TEXTUAL and not chosen[name].isdigit():
                raise UnknownFault(f"{name} needs a number, not {argument}")
        if chosen.get("ends", ENDINGS[0]) not in ENDINGS:
            raise UnknownFault(f"ends needs one of {', '.join(ENDINGS)}")
        if "tools" in chosen:
            try:
                read_script(chosen["tools"])
            except ValueError as exc:
                raise UnknownFault("tools needs a script made by tools_fault()") from exc
        return cls(key=path, chosen=chosen)

    def __contains__(self, name: str) -> bool:
        return name in self.chosen

    def number(self, name: str, default: int = 0) -> int:
        return int(self.chosen[name]) if name in self.chosen else default

    def close_at(self) -> tuple[int, int] | None:
        """`close=1011@20` → code 1011 after 20 server events; `close=1011` → after 3."""
        if "close" not in self.chosen:
            return None
        code, _, after = self.chosen["close"].partition("@")
        return int(code), int(after or 3)

    def script(self) -> Script:
        """`tools=…` → the function calls of each of the first responses."""
        return read_script(self.chosen["tools"]) if "tools" in self.chosen else []

    async def delay_connection(self) -> None:
        await asyncio.sleep(self.number("slow_connect") / 1000)

    async def delay_response(self) -> None:
        if "slow" in self.chosen:
            await asyncio.sleep(self.number("slow") / 1000)


def tools_fault(*responses: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The fault `tools` for these responses: each a list of tools, with their arguments."""
    script = json.dumps([[[name, arguments] for name, arguments in calls] for calls in responses])
    return f"tools={base64.urlsafe_b64encode(script.encode()).decode().rstrip('=')}"


def read_script(argument: str) -> Script:
    """Raises ValueError."""
    try:
        script = json.loads(base64.urlsafe_b64decode(argument + "=" * (-len(argument) % 4)))
        return [[FunctionCall(str(name), dict(arguments)) for name, arguments in calls] for calls in script]
    except (binascii.Error, TypeError, UnicodeDecodeError) as exc:
        raise ValueError("not a script of tools") from exc


GARBAGE: tuple[str | bytes, ...] = (
    "{not json",
    "[" * 2000 + "]" * 2000,
    '"a string"',
    "[]",
    "{}",
    '{"type": 7, "event_id": null}',
    '{"type": "response.invented.delta", "event_id": "event_0", "delta": {"deep": [1, 2, 3]}}',
    '{"type": "response.output_audio.delta", "delta": 12, "item_id": []}',
    '{"type": "response.output_audio.delta", "item_id": "item_unknown", "delta": "!!not base64!!"}',
    '{"type": "input_audio_buffer.speech_started", "audio_start_ms": "soon"}',
    '{"type": "response.done", "response": null}',
    b"\x00\xff\xfe binary",
    "null",
)
