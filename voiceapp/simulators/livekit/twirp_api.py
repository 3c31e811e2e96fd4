"""Twirp over HTTP: faults first, then the token, then the method, as in the middleware of the real server."""

from __future__ import annotations

from aiohttp import web

from voiceapp.simulators.livekit.backend import LiveKitBackend
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.request_faults import PREFIX, inject, reset
from voiceapp.simulators.livekit.services import NOT_SIMULATED, methods
from voiceapp.simulators.livekit.tokens import InvalidToken, TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpCall, TwirpError, decode, encode, error_response


class TwirpApi:
    def __init__(self, backend: LiveKitBackend) -> None:
        self._backend = backend
        self._methods = methods(backend)

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{PREFIX}twirp/{{service}}/{{method}}", self._call)

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
        if is_affected and (faulty := await inject(request, faults)) is not None:
            return faulty
        claims = self._claims(request)
        service, name = request.match_info["service"], request.match_info["method"]
        method = self._methods.get((service, name))
        if method is None:
            code = "unimplemented" if name in NOT_SIMULATED.get(service, ()) else "bad_route"
            raise TwirpError(code, f"no handler for path {request.path!r}")
        message = await method.do(TwirpCall(claims, faults), decode(request, body, method.request))
        if is_affected and "lost_answer" in faults:
            return reset(request)
        return encode(request, message)

    def _claims(self, request: web.Request) -> TokenClaims:
        """Without a header there are no grants; an invalid one is an error in plain text."""
        header = request.headers.get("Authorization", "")
        if not header:
            return TokenClaims()
        if not header.startswith("Bearer "):
            raise InvalidToken("invalid authorization header. Must start with Bearer ")
        return self._backend.key.read(header.removeprefix("Bearer "))
