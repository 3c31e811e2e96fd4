"""Fault injection by URL: `/fault/<name>[=<argument>]` before `/v1`, several in a row.

The package's docstring lists them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from voiceapp.simulators.fault_path import UnknownFault, read_faults
from voiceapp.simulators.model.faults import ModelFaults

_ARGUMENT = {
    "refuse": "500", "drop_after": "5", "close": "1011", "stall": "10", "slow": "1500", "big_frame": "5",
    "session_limit_s": "5", "fail_response": "once", "error_event": "server_error", "flaky": "1", "redirect": "307",
    "tools": "W10", "ends": "empty", "limited": "4000", "slow_connect": "600",
}  # fmt: skip
_BARE = {
    "accept_hang", "drop_in_response", "silent", "garbage", "no_interrupt", "late_transcripts", "deaf", "echo", "tag",
    "hang", "drip", "count_ids", "no_side_channel", "stamped",
}  # fmt: skip
_TEXTUAL = {"fail_response", "error_event", "tag", "close", "tools", "ends"}
ENDINGS = ("empty", "text", "mute", "cut", "filtered", "cancelled", "odd", "never", "unborn")


@dataclass(frozen=True, slots=True)
class OpenAIFaults(ModelFaults):
    """Those of a URL of this simulator."""

    @classmethod
    def of(cls, path: str) -> OpenAIFaults:
        """`fault/slow=300/fault/no_interrupt` → two faults. Raises `UnknownFault`."""
        chosen = read_faults(path, arguments=_ARGUMENT, bare=_BARE, textual=_TEXTUAL)
        if chosen.get("ends", ENDINGS[0]) not in ENDINGS:
            raise UnknownFault(f"ends needs one of {', '.join(ENDINGS)}")
        return cls.checked(path, chosen)

    async def delay_connection(self) -> None:
        await asyncio.sleep(self.number("slow_connect") / 1000)

    async def delay_response(self) -> None:
        if "slow" in self.chosen:
            await asyncio.sleep(self.number("slow") / 1000)


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
