"""Twirp over HTTP: faults first, then the token, then the method, as in the middleware of the real server."""

from __future__ import annotations

import asyncio

from aiohttp import web

from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.services import NOT_SIMULATED, methods
from voiceapp.simulators.livekit.tokens import InvalidToken, TokenClaims
from voiceapp.simulators.livekit.twirp import STATUS, TwirpCall, TwirpError, decode, encode, error_response

PREFIX = r"/{faults:(?:fault/[^/]+/)*}"
_PAGE = "<!DOCTYPE html><title>Welcome</title><h1>It works</h1>"


class TwirpApi:
    def __init__(self, backend: LiveKitBackend) -> None:
        self._backend = backend
        self._methods = methods(backend)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{PREFIX}twirp/{{service}}/{{method}}", self._call)
        app.router.add_get(f"{PREFIX}rtc/validate", self._validate)
        app.router.add_get(f"{PREFIX}", self._alive)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        try:
            faults = LiveKitFaults.from_path(request.match_info["faults"])
            return await self._respond(request, faults)
        except InvalidToken as exc:
            return web.Response(status=401, text=str(exc))
        except TwirpError as exc:
            return error_response(exc)
        except ValueError as exc:
            return error_response(TwirpError("bad_route", str(exc)))

    async def _respond(self, request: web.Request, faults: LiveKitFaults) -> web.StreamResponse:
        body = await request.read()
        is_affected = faults.affects(request.match_info["method"])
        if is_affected and (faulty := await _inject(request, faults)) is not None:
            return faulty
        claims = self._claims(request)
        service, name = request.match_info["service"], request.match_info["method"]
        method = self._methods.get((service, name))
        if method is None:
            code = "unimplemented" if name in NOT_SIMULATED.get(service, ()) else "bad_route"
            raise TwirpError(code, f"no handler for path {request.path!r}")
        message = await method.do(TwirpCall(claims, faults), decode(request, body, method.request))
        if is_affected and "lost_answer" in faults:
            return _reset(request)
        return encode(request, message)

    def _claims(self, request: web.Request) -> TokenClaims:
        """Without a header there are no grants; an invalid one is an error in plain text."""
        header = request.headers.get("Authorization", "")
        if not header:
            return TokenClaims()
        if not header.startswith("Bearer "):
            raise InvalidToken("invalid authorization header. Must start with Bearer ")
        return self._backend.key.read(header.removeprefix("Bearer "))

    async def _validate(self, request: web.Request) -> web.Response:
        """Whether a browser may join with this token."""
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or request.query.get("access_token", "")
        try:
            self._backend.check_token(token)
        except InvalidToken as exc:
            return web.Response(status=401, text=str(exc))
        except TwirpError as exc:
            return web.Response(status=STATUS[exc.code], text=exc.message)
        return web.Response(text="success")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")


async def _inject(request: web.Request, faults: LiveKitFaults) -> web.StreamResponse | None:
    if "slow" in faults:
        await asyncio.sleep(faults.number("slow") / 1000)
    if "reset" in faults:
        return _reset(request)
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


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()
