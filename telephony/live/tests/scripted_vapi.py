"""VAPI's REST API and its websocket transport, over real sockets; the test chooses what the assistant does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

TONE = bytes(range(0x20, 0x20 + 80)) * 2  # 20 ms that can be heard


class ScriptedVapi:
    """Says what it is told to say, with a tone of `tone_frames`; a caller's turn is what `turn` puts into it.

    `status`: what POST /call returns; `delay_s`: after which; `changes`: of the call that it returns.
    """

    def __init__(self) -> None:
        self.url = ""
        self.status = 201
        self.delay_s = 0.0
        self.changes: dict[str, Any] = {}
        self.greets = True
        self.tone_frames = 15
        self.created: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.sound = bytearray()
        self.ended: list[str] = []
        self.over: dict[str, dict[str, Any]] = {}
        self.open_sockets = 0
        self._socket: web.WebSocketResponse | None = None

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.received if frame["type"] == kind]

    async def event(self, kind: str, **fields: Any) -> None:
        await self.send(json.dumps({"type": kind, **fields}))

    async def send(self, frame: str | bytes) -> None:
        assert self._socket is not None
        await (self._socket.send_bytes(frame) if isinstance(frame, bytes) else self._socket.send_str(frame))

    async def turn(self, text: str, answer: str = "My own words.") -> None:
        """The caller says something, and the assistant answers."""
        await self.event("speech-update", status="started", role="user", turn=1)
        await self.event("transcript", role="user", transcriptType="final", transcript=text)
        await self.event("speech-update", status="stopped", role="user", turn=1)
        if answer:
            await self.speak(answer)

    async def speak(self, text: str) -> None:
        await self.event("speech-update", status="started", role="assistant", turn=1)
        for _ in range(self.tone_frames):
            await self.send(TONE)
        await self.event("transcript", role="assistant", transcriptType="final", transcript=text)
        await self.event("speech-update", status="stopped", role="assistant", turn=1)

    async def end(self, reason: str, *, is_told: bool = True) -> None:
        """VAPI ends the call. Not told: only a later GET /call says why."""
        call_id = self.created[-1]["id"]
        self.over[call_id] = {"status": "ended", "endedReason": reason, "cost": 0.0725}
        if is_told:
            await self.event("status-update", status="ended", endedReason=reason)
        await self.close(1000)

    async def close(self, code: int) -> None:
        if self._socket is not None:
            await self._socket.close(code=code)

    # REST

    async def create(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.json()
        await asyncio.sleep(self.delay_s)
        if self.status >= 300:
            return web.json_response({"message": "Not now.", "statusCode": self.status}, status=self.status)
        call_id = str(uuid4())
        call = {
            "id": call_id,
            "type": "vapi.websocketCall",
            "status": "queued",
            "assistantId": body.get("assistantId"),
            "transport": {
                "provider": "vapi.websocket",
                "websocketCallUrl": f"{self.url.replace('http', 'ws')}/{call_id}/transport",
            },
            "monitor": {"controlUrl": f"{self.url}/{call_id}/control"},
        }
        self.created.append(body | {"id": call_id})
        return web.json_response(call | self.changes, status=self.status)

    async def look_up(self, request: web.Request) -> web.Response:
        call_id = request.match_info["call_id"]
        return web.json_response({"id": call_id, "status": "in-progress"} | self.over.get(call_id, {}))

    async def control(self, request: web.Request) -> web.Response:
        assert (await request.json()) == {"type": "end-call"}
        assert "authorization" not in {name.lower() for name in request.headers}
        self.ended.append(request.match_info["call_id"])
        return web.json_response({})

    # The socket

    async def transport(self, request: web.Request) -> web.WebSocketResponse:
        assert "authorization" not in {name.lower() for name in request.headers}
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._socket = socket
        self.open_sockets += 1
        try:
            if self.greets:
                await self.event("assistant.started", newAssistant={"name": "Garage"})
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    self.sound += message.data
                elif message.type is WSMsgType.TEXT:
                    await self._received(json.loads(message.data), request.match_info["call_id"])
        finally:
            self.open_sockets -= 1
        return socket

    async def _received(self, frame: dict[str, Any], call_id: str) -> None:
        self.received.append(frame)
        match frame["type"]:
            case "say":
                await self.speak(frame["content"])
            case "end-call":
                self.ended.append(call_id)


@asynccontextmanager
async def scripted_vapi() -> AsyncIterator[ScriptedVapi]:
    server = ScriptedVapi()
    application = web.Application()
    application.add_routes(
        [
            web.post("/call", server.create),
            web.get("/call/{call_id}", server.look_up),
            web.post("/{call_id}/control", server.control),
            web.get("/{call_id}/transport", server.transport),
        ]
    )
    runner = web.AppRunner(application, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()
