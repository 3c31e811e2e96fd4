"""The faults of requests: what happens before the real server would see one."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.tokens import InvalidToken
from voiceapp.simulators.livekit.twirp import STATUS, TwirpError

#: Faults stand at the beginning of any path.
PREFIX = r"/{faults:(?:fault/[^/]+/)*}"
_PAGE = "<!DOCTYPE html><title>Welcome</title><h1>It works</h1>"


async def inject(request: web.Request, faults: LiveKitFaults) -> web.StreamResponse | None:
    if "slow" in faults:
        await asyncio.sleep(faults.number("slow") / 1000)
    if "reset" in faults:
        return reset(request)
    if "away" in faults:
        return web.Response(status=int(faults.number("away")), text="upstream connect error", content_type="text/plain")
    if "busy" in faults:
        wait_s = str(round(faults.number("busy")))
        return web.Response(status=429, headers={"Retry-After": wait_s}, text="too many requests")
    if "credentials" in faults:
        raise InvalidToken("invalid API key: injected fault")
    if "garbage" in faults:
        return web.Response(text=_PAGE, content_type="text/html")
    if "empty" in faults:
        return web.Response(text="")
    if "garbage_protobuf" in faults:
        return web.Response(body=b"\xff" * 40, content_type="application/protobuf")
    if "not_found" in faults:
        raise TwirpError("not_found", "requested room does not exist")
    if "code" in faults:
        code = faults.text("code")
        raise TwirpError(code if code in STATUS else "internal", "injected fault")
    return None


def reset(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()
