"""What may go wrong with an answer over HTTP: late, never, in drops, elsewhere, too large, or no JSON."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voiceapp.simulators.openai.faults import Faults

FOREVER_S = 3600
DROP, DROPS_A_SECOND = b" ", 10


async def misbehave(request: web.Request, faults: Faults) -> web.StreamResponse | None:
    """The wrong answer that the address asks for, or None after its delay."""
    await faults.delay_response()
    if "hang" in faults:
        await asyncio.sleep(FOREVER_S)
    if "drip" in faults:
        return await _drip(request)
    if "redirect" in faults:
        there = request.path.removeprefix(f"/{faults.key}".rstrip("/"))
        return web.Response(status=faults.number("redirect"), headers={"Location": there})
    if "big_frame" in faults:
        return web.Response(body=b" " * (faults.number("big_frame") << 20), content_type="application/json")
    if "garbage" in faults:
        return web.Response(body=b"\x00{not json" + b"[" * 5000, content_type="application/json")
    return None


async def _drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(FOREVER_S * DROPS_A_SECOND):
        await response.write(DROP)
        await asyncio.sleep(1 / DROPS_A_SECOND)
    return response
