"""The HTTP side of Twirp: faults first, then the token, then the method, as the real server's middleware has it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.house import House
from voiceapp.simulators.livekit.services import UNPLAYED, methods
from voiceapp.simulators.livekit.tokens import Claims, TokenRefused
from voiceapp.simulators.livekit.twirp import STATUS, Call, Refusal, answer, read, refusal

PREFIX = r"/{faults:(?:fault/[^/]+/)*}"
_PAGE = "<!DOCTYPE html><title>Welcome</title><h1>It works</h1>"


class TwirpDoor:
    def __init__(self, house: House) -> None:
        self._house = house
        self._methods = methods(house)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{PREFIX}twirp/{{service}}/{{method}}", self._call)
        app.router.add_get(f"{PREFIX}rtc/validate", self._validate)
        app.router.add_get(f"{PREFIX}", self._alive)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        try:
            faults = Faults.from_path(request.match_info["faults"])
            return await self._answer(request, faults)
        except TokenRefused as exc:
            return web.Response(status=401, text=str(exc))
        except Refusal as exc:
            return refusal(exc)
        except ValueError as exc:
            return refusal(Refusal("bad_route", str(exc)))

    async def _answer(self, request: web.Request, faults: Faults) -> web.StreamResponse:
        body = await request.read()
        is_spoilt = faults.spoils(request.match_info["method"])
        if is_spoilt and (spoilt := await _spoilt(request, faults)) is not None:
            return spoilt
        claims = self._claims(request)
        service, name = request.match_info["service"], request.match_info["method"]
        method = self._methods.get((service, name))
        if method is None:
            code = "unimplemented" if name in UNPLAYED.get(service, ()) else "bad_route"
            raise Refusal(code, f"no handler for path {request.path!r}")
        message = await method.do(Call(claims, faults), read(request, body, method.request))
        if is_spoilt and "lost_answer" in faults:
            return _broken(request)
        return answer(request, message)

    def _claims(self, request: web.Request) -> Claims:
        """No header grants nothing; a wrong one is refused in plain text."""
        header = request.headers.get("Authorization", "")
        if not header:
            return Claims()
        if not header.startswith("Bearer "):
            raise TokenRefused("invalid authorization header. Must start with Bearer ")
        return self._house.keys.read(header.removeprefix("Bearer "))

    async def _validate(self, request: web.Request) -> web.Response:
        """Whether a browser may join with this token."""
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or request.query.get("access_token", "")
        try:
            self._house.admit(token)
        except TokenRefused as exc:
            return web.Response(status=401, text=str(exc))
        except Refusal as exc:
            return web.Response(status=STATUS[exc.code], text=exc.message)
        return web.Response(text="success")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")


async def _spoilt(request: web.Request, faults: Faults) -> web.StreamResponse | None:
    if "slow" in faults:
        await asyncio.sleep(faults.number("slow") / 1000)
    if "reset" in faults:
        return _broken(request)
    if "away" in faults:
        return web.Response(status=int(faults.number("away")), text="upstream connect error", content_type="text/plain")
    if "busy" in faults:
        wait_s = str(round(faults.number("busy")))
        return web.Response(status=429, headers={"Retry-After": wait_s}, text="too many requests")
    if "credentials" in faults:
        raise TokenRefused("invalid API key: as asked")
    if "garbage" in faults:
        return web.Response(text=_PAGE, content_type="text/html")
    if "empty" in faults:
        return web.Response(text="")
    if "garbage_protobuf" in faults:
        return web.Response(body=b"\xff" * 40, content_type="application/protobuf")
    if "not_found" in faults:
        raise Refusal("not_found", "requested room does not exist")
    if "code" in faults:
        code = faults.word("code")
        raise Refusal(code if code in STATUS else "internal", "as asked")
    return None


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()
