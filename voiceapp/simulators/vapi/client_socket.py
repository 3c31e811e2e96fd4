"""Writes a call's audio and events to its socket in order, and injects the faults of the connection."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from typing import Any

from aiohttp import web

from voiceapp.simulators.vapi.faults import GARBAGE, VapiFaults

_FINAL = 'transcript[transcriptType="final"]'


class ClientSocket:
    """`wanted`: the assistant's `clientMessages`. Sending never blocks; one task writes."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, faults: VapiFaults,
        wanted: frozenset[str],
    ) -> None:  # fmt: skip
        self._socket, self._transport, self._faults, self._wanted = socket, transport, faults, wanted
        self._waiting: asyncio.Queue[str | bytes | tuple[int, str]] = asyncio.Queue()
        self._events = 0

    def audio(self, chunk: bytes) -> None:
        is_text = "text_audio" in self._faults
        self._waiting.put_nowait(base64.b64encode(chunk).decode() if is_text else chunk)

    def event(self, kind: str, **fields: Any) -> None:
        """Send it if the assistant's `clientMessages` have it. The type is at the top, unlike in webhooks."""
        if kind not in self._wanted and not (kind == "transcript" and _is_final(fields) and _FINAL in self._wanted):
            return
        event = {"type": kind, "timestamp": round(time.time() * 1000), **fields}
        self._waiting.put_nowait(json.dumps({"message": event} if "nested" in self._faults else event))

    def close(self, code: int, reason: str = "") -> None:
        self._waiting.put_nowait((code, reason))

    async def run(self) -> None:
        """Write until `close`, or until the peer is gone."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                frame = await self._waiting.get()
                if isinstance(frame, tuple):
                    await self._socket.close(code=frame[0], message=frame[1].encode()[:123])
                    return
                if "stall" not in self._faults or self._events < self._faults.number("stall"):
                    await self._write(frame)
                if await self._has_broken():
                    return

    async def _write(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            await self._socket.send_bytes(frame)
            return
        if "garbage" in self._faults:
            await self._socket.send_str(GARBAGE[self._events % len(GARBAGE)])
        await self._socket.send_str(frame)
        self._events += 1

    async def _has_broken(self) -> bool:
        closing = self._faults.close_at()
        if closing is not None and self._events >= closing[1]:
            await self._socket.close(code=closing[0])
            return True
        if "drop_after" in self._faults and self._events >= self._faults.number("drop_after"):
            if self._transport is not None:
                self._transport.abort()
            return True
        return False


def _is_final(fields: dict[str, Any]) -> bool:
    return fields.get("transcriptType") == "final"
