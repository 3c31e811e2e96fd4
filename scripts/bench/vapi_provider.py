"""VAPI as the load plays it: a REST API that creates calls, and one long answer per call, made of its own frames."""

from __future__ import annotations

import asyncio
import json
from binascii import a2b_base64, b2a_base64

from provider import RealtimeSession

BINARY = 0x82


class VapiSession(RealtimeSession):
    """One socket: sound in binary frames both ways. It speaks as soon as it gets something to say."""

    __slots__ = ()

    def greet(self) -> None:
        self.say_event("assistant.started", newAssistant={"name": "Load"})

    def on_text(self, message: bytes) -> None:
        event = json.loads(message)
        if event.get("type") == "say" and not self.was_asked:
            self.was_asked = True
            self.say_event("speech-update", status="started", role="assistant", turn=1)
            self.begin_to_speak()

    def answer(self, payload: bytes) -> None:
        self.events += 1
        self.say(a2b_base64(payload), BINARY)

    def _control(self, opcode: int, message: bytes) -> None:
        if opcode == BINARY:
            self.hear(b2a_base64(message, newline=False))
        else:
            super()._control(opcode, message)


class CallDesk:
    """POST /call and GET /call/{id}. Connections are kept."""

    def __init__(self, *, port: int, provider_port: int) -> None:
        self._port = port
        self._provider_port = provider_port
        self._created = 0
        self._connections: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.close()
        await asyncio.sleep(0)  # each reads its end; a task that is canceled later would be reported as an error

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(_length(head))
                self._created += 1
                body = json.dumps(self._call(f"call-{self._created}")).encode()
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _call(self, call_id: str) -> dict[str, object]:
        url = f"ws://127.0.0.1:{self._provider_port}/{call_id}/transport"
        transport = {"provider": "vapi.websocket", "websocketCallUrl": url}
        return {"id": call_id, "type": "vapi.websocketCall", "status": "queued", "transport": transport}


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
