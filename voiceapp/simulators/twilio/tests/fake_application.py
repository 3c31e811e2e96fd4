"""A small application for the phone to talk to: TwiML by path, and a media socket whose behavior a test writes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "token-of-the-tests"


@dataclass
class ReceivedRequest:
    """One request that the application got."""

    path: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class MediaEnd:
    """The application's end of one media socket."""

    socket: web.WebSocketResponse
    url: str
    headers: dict[str, str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    binaries: int = 0
    at_s: list[float] = field(default_factory=list)
    stream_sid: str = ""

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("event") == event]

    async def play(self, ulaw: bytes) -> None:
        await self.send("media", media={"payload": base64.b64encode(ulaw).decode()})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})

    async def clear(self) -> None:
        await self.send("clear")

    async def send(self, event: str, **about: object) -> None:
        await self.socket.send_str(json.dumps({"event": event, "streamSid": self.stream_sid, **about}))


Behavior = Callable[[MediaEnd, dict[str, Any]], Awaitable[None]]


async def quiet(_end: MediaEnd, _message: dict[str, Any]) -> None:
    """Listens and says nothing."""


async def echo(end: MediaEnd, message: dict[str, Any]) -> None:
    if message.get("event") == "media":
        await end.send("media", media={"payload": message["media"]["payload"]})


class FakeApplication:
    """`twiml["/voice"]` is what the path answers; `on_message` what the media socket does with each message."""

    def __init__(self) -> None:
        self.twiml: dict[str, str | Callable[[ReceivedRequest], str]] = {}
        self.files: dict[str, tuple[bytes, str]] = {}
        self.status = 200
        self.slow_s = 0.0
        self.requests: list[ReceivedRequest] = []
        self.ends: list[MediaEnd] = []
        self.on_message: Behavior = quiet
        self.refuse_sockets = False
        self.base_url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> FakeApplication:
        app = web.Application()
        app.router.add_get("/media", self._media)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._runner
        await self._runner.cleanup()

    @property
    def voice_url(self) -> str:
        return f"{self.base_url}/voice?orgId=7"

    @property
    def media_url(self) -> str:
        return self.base_url.replace("http", "ws", 1) + "/media"

    def stream(self, *, action: str = "/after", parameters: str = "", callback: str = "") -> str:
        """TwiML that connects the caller to the media socket."""
        given = f' action="{action}"' if action else ""
        status = f' statusCallback="{callback}"' if callback else ""
        return (
            f"<Response><Connect{given}><Stream url='{self.media_url}'{status}>{parameters}</Stream>"
            "</Connect></Response>"
        )

    def requests_of(self, path: str) -> list[ReceivedRequest]:
        return [received for received in self.requests if received.path == path]

    async def _answer(self, request: web.Request) -> web.Response:
        params = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{self.base_url}{request.raw_path}"
        received = ReceivedRequest(
            request.path, url, params, {name.lower(): value for name, value in request.headers.items()}
        )
        self.requests.append(received)
        await asyncio.sleep(self.slow_s)
        if request.path in self.files:
            content, kind = self.files[request.path]
            return web.Response(body=content, content_type=kind)
        response = self.twiml.get(request.path, "<Response/>")
        text = response(received) if callable(response) else response
        return web.Response(text=text, status=self.status, content_type="text/xml")

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_sockets:
            return web.Response(status=403)
        socket = web.WebSocketResponse(max_msg_size=64 * 1024)
        await socket.prepare(request)
        url = f"{self.media_url.removesuffix('/media')}{request.raw_path}"
        end = MediaEnd(socket, url, {name.lower(): value for name, value in request.headers.items()})
        self.ends.append(end)
        async for frame in socket:
            end.at_s.append(asyncio.get_running_loop().time())
            if frame.type is not WSMsgType.TEXT:
                end.binaries += 1
                continue
            end.texts.append(frame.data)
            try:
                message = json.loads(frame.data)
            except (ValueError, RecursionError):
                continue
            if not isinstance(message, dict):
                continue
            end.messages.append(message)
            if message.get("event") == "start":
                end.stream_sid = message["start"]["streamSid"]
            await self.on_message(end, message)
        return socket
