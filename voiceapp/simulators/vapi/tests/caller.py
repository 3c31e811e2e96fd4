"""A client of the simulated VAPI: it starts a call, sends sound and control messages, and keeps what it receives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.vapi import VapiSimulator

KEY = "vapi-private-key"
HEADERS = {"Authorization": f"Bearer {KEY}", "User-Agent": "tests"}
MULAW = {"format": "mulaw", "container": "raw", "sampleRate": 8000}
ASSISTANT: dict[str, Any] = {
    "firstMessage": "Hello.",
    "model": {"provider": "openai", "model": "gpt-4o", "messages": [
        {"role": "system", "content": "ITEM Tiramisu | price: 5.00\nITEM Espresso | price: 2.20"},
    ]},
}  # fmt: skip
WAIT_S = 15.0
_FRAME_BYTES = 160


def call_body(assistant: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The body of `POST /call`."""
    transport = {"provider": "vapi.websocket", "audioFormat": MULAW}
    return {"assistant": ASSISTANT if assistant is None else assistant, "transport": transport, **fields}


@dataclass(slots=True)
class Caller:
    """`events` and `audio` are what has arrived so far."""

    socket: aiohttp.ClientWebSocketResponse
    call: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    frames: list[bytes | str] = field(default_factory=list)

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send_str(json.dumps(message))

    async def speak(self, text: str) -> None:
        """Faster than real time, with the silence that ends a turn."""
        sound = mulaw.encode(bytes(3200) + speech.say(text) + bytes(16000))
        for at in range(0, len(sound), _FRAME_BYTES):
            await self.socket.send_bytes(sound[at : at + _FRAME_BYTES])

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next event of this kind with these fields."""
        async with asyncio.timeout(WAIT_S):
            while True:
                event = await self.receive()
                if event is not None and event["type"] == kind and fields.items() <= event.items():
                    return event

    async def closed(self) -> int | None:
        """Read until the socket is closed; its code."""
        async with asyncio.timeout(WAIT_S):
            while not self.socket.closed:
                await self.receive()
        return self.socket.close_code

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    async def receive(self) -> dict[str, Any] | None:
        """One frame; the event, if it is one."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            self.audio += message.data
            self.frames.append(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.frames.append(message.data)
            event = json.loads(message.data)
            self.events.append(event)
            return event  # type: ignore[no-any-return]
        elif self.socket.closed:
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
        return None


async def post(url: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return await request("POST", url, body, headers)


async def request(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """The status and the JSON of a response."""
    async with (
        aiohttp.ClientSession(headers=HEADERS if headers is None else headers) as session,
        session.request(method, url, json=body) as response,
    ):
        return response.status, await response.json()


@asynccontextmanager
async def calling(
    simulator: VapiSimulator, *faults: str, assistant: dict[str, Any] | None = None, **fields: Any
) -> AsyncIterator[Caller]:
    """A call that is connected."""
    status, call = await post(f"{simulator.fault_url(*faults)}/call", call_body(assistant, **fields))
    assert status == 201, call
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(call["transport"]["websocketCallUrl"], max_msg_size=0) as socket,
    ):
        yield Caller(socket, call)
