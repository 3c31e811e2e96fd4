"""Faults of an HTTP response: late, never, slow, redirected, too large, or not JSON."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voiceapp.simulators.openai.faults import OpenAIFaults

FOREVER_S = 3600
CHUNK, CHUNKS_PER_S = b" ", 10


async def inject_fault(request: web.Request, faults: OpenAIFaults) -> web.StreamResponse | None:
    """The faulty response that the URL requests; None, after its delay, for the normal one."""
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
    for _ in range(FOREVER_S * CHUNKS_PER_S):
        await response.write(CHUNK)
        await asyncio.sleep(1 / CHUNKS_PER_S)
    return response
