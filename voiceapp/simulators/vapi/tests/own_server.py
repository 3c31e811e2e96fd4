"""A server URL that keeps the webhooks it gets and answers as the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from voiceapp.simulators.vapi.tests.caller import ASSISTANT, WAIT_S


@dataclass(slots=True)
class OwnServer:
    """`responses`: a body for each type of message, or a status."""

    url: str = ""
    responses: dict[str, Any] = field(default_factory=dict)
    delay_s: float = 0.0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body)["message"] for _, body in self.requests]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        async with asyncio.timeout(WAIT_S):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        self._changed.set()
        await asyncio.sleep(self.delay_s)
        message = json.loads(body)["message"]
        response = self.responses.get(message["type"], {})
        if callable(response):
            response = response(message)
        return web.Response(status=response) if isinstance(response, int) else web.json_response(response)


@asynccontextmanager
async def own_server(**responses: Any) -> AsyncIterator[OwnServer]:
    server = OwnServer(responses={kind.replace("_", "-"): response for kind, response in responses.items()})
    app = web.Application()
    app.router.add_post("/vapi", server.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/vapi"
    try:
        yield server
    finally:
        await runner.cleanup()


def assistant(own: OwnServer | None, *tools: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An assistant with these tools, whose server URL is this one."""
    model = {**ASSISTANT["model"], "tools": list(tools)}
    settings = {**ASSISTANT, "model": model, **fields}
    return settings if own is None else {**settings, "server": {"url": own.url, **(fields.get("server") or {})}}
