"""A caller on Twilio's wire: signed webhook, signed socket, frames on a steady clock, audio played at 8 kHz.

It obeys the protocol unless a test disables that; it echoes a mark when the audio before it has been played.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

FRAME_S = 0.02
SILENT = {0xFF, 0x7F}
SILENCE = base64.b64encode(b"\xff" * 160).decode()


@dataclass
class Handset:
    """One call. `base_url` is the product's address, `dialed` the number it rings."""

    base_url: str
    account_sid: str
    auth_token: str
    dialed: str
    caller: str = "+4917612345678"
    call_sid: str = field(default_factory=lambda: "CA" + uuid4().hex)
    stream_sid: str = field(default_factory=lambda: "MZ" + uuid4().hex)
    stream_url: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    heard: bytearray = field(default_factory=bytearray)
    started_at: float | None = None
    sound_came_at: float | None = None
    close_code: int | None = None
    others: list[dict[str, Any]] = field(default_factory=list)  # frames that are not Twilio's
    echoes_marks: bool = True
    reads: bool = True

    def __post_init__(self) -> None:
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._queue: deque[bytes | str] = deque()
        self._messages = 0
        self._clock_ms = 0
        self.closed = asyncio.Event()

    # The webhook

    async def ring(self) -> ElementTree.Element:
        """Post the webhook and keep what its TwiML says of the stream."""
        twiml = await self.post_webhook("/twiml/start", CallStatus="ringing")
        stream = twiml.find("./Connect/Stream")
        if stream is not None:
            self.stream_url = stream.attrib["url"]
            self.parameters = {each.attrib["name"]: each.attrib["value"] for each in stream.findall("Parameter")}
        return twiml

    async def post_webhook(self, path: str, **fields: str) -> ElementTree.Element:
        """What Twilio does next: the TwiML of a webhook."""
        form = {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "From": self.caller,
            "To": self.dialed,
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        } | fields
        url = self.base_url + path
        async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
            answer = await client.post(url, data=form, headers={"X-Twilio-Signature": self._signature(url, form)})
        assert answer.status_code == 200, answer.status_code
        return ElementTree.fromstring(answer.text)

    # The socket

    async def open(self, *, query: str = "", signature: str | None = None, **headers: str) -> None:
        """Open the media socket. Raises websockets' InvalidStatus when it is refused."""
        signed = self._signature(self.stream_url, {}) if signature is None else signature
        if signed:
            headers["X-Twilio-Signature"] = signed
        self._socket = await connect(
            self.stream_url + query, additional_headers=headers, compression=None, proxy=None, max_queue=None
        )
        self._tasks.append(asyncio.create_task(self._listen(self._socket)))

    async def start(self, **changes: Any) -> None:
        """Send `connected` and `start`, then silence."""
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        self.started_at = time.monotonic()
        await self.send_start(**changes)
        self._tasks += [asyncio.create_task(self._speak()), asyncio.create_task(self._play())]

    async def send_start(self, **changes: Any) -> None:
        start = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self.parameters,
        } | changes
        await self.send({"event": "start", "sequenceNumber": "1", "streamSid": self.stream_sid, "start": start})

    async def dial(self) -> None:
        """From the webhook to a call with audio."""
        await self.ring()
        await self.open()
        await self.start()

    async def press(self, digit: str) -> None:
        await self.send(
            {"event": "dtmf", "streamSid": self.stream_sid, "dtmf": {"track": "inbound_track", "digit": digit}}
        )

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        assert self._socket is not None
        text = json.dumps(message, separators=(",", ":")) if isinstance(message, dict) else message
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(text)

    async def hang_up(self) -> None:
        """As Twilio: `stop`, then the close of the socket."""
        await self.send({"event": "stop", "streamSid": self.stream_sid, "stop": {"callSid": self.call_sid}})
        await self.leave()

    async def leave(self) -> None:
        """Close the socket without `stop`."""
        for task in self._tasks[1:]:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()

    def vanish(self) -> None:
        """The network is gone: the socket is reset, no close frame is sent."""
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            self._socket.transport.abort()

    async def hears_something(self, *, within_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while set(self.heard) <= SILENT:
                    await asyncio.sleep(0.02)
                return True
        return False

    async def close_comes(self, *, within_s: float) -> int | None:
        """The code with which the product closes the socket."""
        await asyncio.wait_for(self.closed.wait(), within_s)
        return self.close_code

    async def put_away(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    # What runs beside

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in range(1_000_000):
            media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20), "payload": SILENCE}
            await self.send(
                {"event": "media", "sequenceNumber": str(number + 2), "streamSid": self.stream_sid, "media": media}
            )
            due += FRAME_S
            await asyncio.sleep(max(0, due - loop.time()))

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            while True:
                while not self.reads:
                    await asyncio.sleep(0.05)
                message = json.loads(await socket.recv())
                assert message["streamSid"] == self.stream_sid
                self.count(message)
                match message["event"]:
                    case "media":
                        audio = base64.b64decode(message["media"]["payload"], validate=True)
                        if self.sound_came_at is None and not set(audio) <= SILENT:
                            self.sound_came_at = time.monotonic()
                        self._queue.append(audio)
                    case "mark":
                        self._queue.append(message["mark"]["name"])
                    case "clear":
                        await self._clear()
                    case _:
                        self.others.append(message)
        except ConnectionClosed as closed:
            self.close_code = closed.rcvd.code if closed.rcvd is not None else None
        finally:
            self.closed.set()

    def count(self, message: dict[str, Any]) -> None:
        """A frame of the product's has come."""

    async def _play(self) -> None:
        """Play what is queued at 8 kHz; echo a mark when the audio before it has been played."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            while self._queue:
                item = self._queue.popleft()
                if isinstance(item, str):
                    await self._echo(item)
                    continue
                due = max(due, loop.time()) + len(item) / 8000
                await asyncio.sleep(max(0, due - loop.time()))
                self.heard += item
            await asyncio.sleep(FRAME_S)

    async def _clear(self) -> None:
        marks = [item for item in self._queue if isinstance(item, str)]
        self._queue.clear()
        for mark in marks:
            await self._echo(mark)

    async def _echo(self, name: str) -> None:
        if self.echoes_marks:
            await self.send({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": name}})

    def _signature(self, url: str, form: dict[str, str]) -> str:
        signature: str = RequestValidator(self.auth_token).compute_signature(url, form)
        return signature
