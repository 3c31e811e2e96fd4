"""Writes the events of a session to its WebSocket, and injects the faults of the connection."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from aiohttp import web

from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import GARBAGE, OpenAIFaults
from voiceapp.simulators.openai.ids import new_id


class SocketSender(EventSender):
    """One task writes: `run`."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, faults: OpenAIFaults
    ) -> None:
        super().__init__(faults)
        self._socket, self._transport, self._faults = socket, transport, faults
        self._waiting: asyncio.Queue[str | bytes | tuple[int, str]] = asyncio.Queue()
        self._sent = 0
        self._audio_deltas = 0
        self._has_sent_big_frame = False

    def send_raw(self, frame: str) -> None:
        self._waiting.put_nowait(frame)

    def close(self, code: int, reason: str) -> None:
        self._waiting.put_nowait((code, reason))

    async def drained(self) -> None:
        """Wait until everything is written."""
        await self._waiting.join()

    async def run(self) -> None:
        """Write until `close`, or until the peer is gone."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                frame = await self._waiting.get()
                if isinstance(frame, tuple):
                    code, reason = frame
                    await self._socket.close(code=code, message=reason.encode()[:123])
                    return
                await self._write(frame)
                self._waiting.task_done()
                if self._has_broken(frame):
                    return
                closing = self._faults.close_at()
                if closing is not None and self._sent >= closing[1]:
                    await self._socket.close(code=closing[0], message=b"")
                    return

    async def _write(self, frame: str | bytes) -> None:
        if "stall" in self._faults and self._sent >= self._faults.number("stall"):
            return
        if "garbage" in self._faults and self._sent:
            junk = GARBAGE[self._sent % len(GARBAGE)]
            await (self._socket.send_bytes(junk) if isinstance(junk, bytes) else self._socket.send_str(junk))
        if "big_frame" in self._faults and not self._has_sent_big_frame and _is(frame, "response.output_audio.done"):
            self._has_sent_big_frame = True
            await self._socket.send_str(_big_frame(self._faults.number("big_frame")))
        await (self._socket.send_bytes(frame) if isinstance(frame, bytes) else self._socket.send_str(frame))
        self._sent += 1

    def _has_broken(self, frame: str | bytes) -> bool:
        self._audio_deltas += _is(frame, "response.output_audio.delta")
        is_due = "drop_after" in self._faults and self._sent >= self._faults.number("drop_after")
        if is_due or ("drop_in_response" in self._faults and self._audio_deltas >= 3):
            if self._transport is not None:
                self._transport.abort()
            return True
        return False


def _is(frame: str | bytes, kind: str) -> bool:
    return isinstance(frame, str) and frame.startswith(f'{{"type":"{kind}"')


def _big_frame(mebibytes: int) -> str:
    event = {"type": "response.output_audio.delta", "event_id": new_id("event"), "item_id": new_id("item")}
    return msgspec.json.encode({**event, "delta": "/" * (mebibytes * 1024 * 1024)}).decode()
