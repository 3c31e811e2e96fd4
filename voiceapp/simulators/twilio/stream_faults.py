"""Faults of a media stream that are injected beside its normal messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from voiceapp.simulators.twilio.faults import TwilioFaults
from voiceapp.simulators.twilio.line import Line
from voiceapp.simulators.twilio.media_socket import MediaSocket

_GAP_EVERY_MS = 3000
_GARBAGE = (
    "not json",
    "{",
    "[" * 50_000,
    '{"event":"media","media":{"payload":"%%%"}}',
    '{"event":"media","media":null}',
    '{"event":12}',
    "null",
    '{"event":"mark"}',
    '{"event":"dtmf","dtmf":{"digit":["1"]}}',
    '{"event":"media","media":{"timestamp":"-9e99","payload":"////"}}',
)


def is_in_gap(timestamp_ms: int, faults: TwilioFaults) -> bool:
    into_ms = timestamp_ms % _GAP_EVERY_MS
    return timestamp_ms >= _GAP_EVERY_MS and into_ms < faults.number("gaps")


def start(socket: MediaSocket, faults: TwilioFaults, line: Line) -> list[asyncio.Task[None]]:
    """The tasks that inject the chosen faults. The caller cancels them at the end of the stream."""
    works: list[Coroutine[Any, Any, None]] = []

    async def after(delay_ms: float, act: Callable[[], None]) -> None:
        await line.wait_ms(delay_ms)
        act()

    async def every(interval_ms: float, times: int, act: Callable[[int], None]) -> None:
        for number in range(times):
            await line.wait_ms(interval_ms)
            act(number)

    if "abort" in faults:
        works.append(after(faults.number("abort"), socket.reset))
    if "slow_reader" in faults:
        works.append(after(faults.number("slow_reader"), socket.stop_reading))
    if "garbage_frames" in faults:
        works.append(
            every(100, int(faults.number("garbage_frames")), lambda n: socket.send(_GARBAGE[n % len(_GARBAGE)]))
        )
    if "binary_frames" in faults:
        works.append(every(100, int(faults.number("binary_frames")), lambda _n: socket.send_binary(b"\x00\xff" * 80)))
    if "oversized_frame" in faults:
        text = '{"event":"media","media":{"payload":"' + "/" * int(faults.number("oversized_frame")) + '"}}'
        works.append(after(1000, lambda: socket.send(text)))
    return [asyncio.create_task(work, name="stream fault") for work in works]
