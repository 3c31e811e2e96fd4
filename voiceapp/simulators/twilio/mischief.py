"""The faults of a media stream that happen beside its ordinary traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from voiceapp.simulators.twilio.faults import Faults
from voiceapp.simulators.twilio.media_socket import MediaSocket, StreamFailed
from voiceapp.simulators.twilio.stream_messages import CONNECTED, Outgoing

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall
    from voiceapp.simulators.twilio.media_stream import MediaStream

OnText = Callable[[str], None]
OnBinary = Callable[[], None]

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


def is_in_gap(timestamp_ms: int, faults: Faults) -> bool:
    into_ms = timestamp_ms % _GAP_EVERY_MS
    return timestamp_ms >= _GAP_EVERY_MS and into_ms < faults.number("gaps")


def begin(stream: MediaStream, socket: MediaSocket, call: LocalCall) -> list[asyncio.Task[None]]:
    """Start what was chosen. The caller cancels the tasks at the stream's end."""
    faults, line = call.faults, call.line
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
    if "replay_token" in faults:
        works.append(_replay(stream, call, faults.number("replay_token")))
    return [asyncio.create_task(work, name="mischief") for work in works]


async def _replay(stream: MediaStream, call: LocalCall, delay_ms: float) -> None:
    """Present the same parameters on a second socket, and note how the application gets rid of it."""
    await call.line.wait_ms(delay_ms)
    received: list[str] = []
    try:
        second = await stream.connect(on_text=received.append, on_binary=lambda: None)
    except StreamFailed as exc:
        call.log("second_socket_refused", status=exc.status)
        return
    messages = Outgoing(stream.sid, call_sid=call.sid, account_sid=call.carrier.account_sid)
    second.send(CONNECTED)
    second.send(messages.start(stream.parameters))
    try:
        closed = await asyncio.shield(second.closed)
        call.log("second_socket_closed", code=closed.code, messages_received=len(received))
    finally:
        await second.close()
