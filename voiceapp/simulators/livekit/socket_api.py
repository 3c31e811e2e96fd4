"""The sockets: of agents' workers at /agent, of participants at /rtc, and the check of their tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from voiceapp.simulators.livekit.backend import SERVER, LiveKitBackend
from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.request_faults import PREFIX, inject
from voiceapp.simulators.livekit.tokens import InvalidToken
from voiceapp.simulators.livekit.twirp import STATUS, TwirpError
from voiceapp.simulators.livekit.worker_socket import serve_worker

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SocketApi:
    """Faults of requests apply to the sockets, too: `only=agent` names one."""

    def __init__(self, backend: LiveKitBackend) -> None:
        self._backend = backend

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PREFIX}agent", _with_faults("agent", self._agent))
        app.router.add_get(f"{PREFIX}rtc", _with_faults("rtc", self._rtc))
        app.router.add_get(f"{PREFIX}rtc/validate", _with_faults("validate", self._validate))
        app.router.add_get(f"{PREFIX}", self._alive)

    async def _agent(self, request: web.Request) -> web.StreamResponse:
        if not self._backend.key.read(_token(request)).grants("agent"):
            raise InvalidToken("permissions denied")
        return await serve_worker(request, self._backend.workers.registered, SERVER)

    async def _rtc(self, request: web.Request) -> web.StreamResponse:
        """Signaling v0: /rtc/v1 is not found, and clients fall back."""
        token = _token(request)
        if request.query.get("reconnect") in ("1", "true"):
            self._backend.check_token(token)
            return await self._backend.connections.refuse_resumption(request)
        faults = LiveKitFaults.from_path(request.match_info["faults"])
        room, participant = self._backend.enter(token, faults=faults)
        return await self._backend.connections.serve(request, room, participant)

    async def _validate(self, request: web.Request) -> web.StreamResponse:
        """Whether a browser may join with this token."""
        self._backend.check_token(_token(request))
        return web.Response(text="success")

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")


def _token(request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") or request.query.get("access_token", "")


def _with_faults(name: str, handler: Handler) -> Handler:
    """Errors are plain text."""

    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            faults = LiveKitFaults.from_path(request.match_info["faults"])
            if faults.affects(name) and (faulty := await inject(request, faults)) is not None:
                return faulty
            return await handler(request)
        except InvalidToken as exc:
            return web.Response(status=401, text=str(exc))
        except TwirpError as exc:
            # The real server has no status of its own for a room that is full.
            return web.Response(status=500 if exc.code == "resource_exhausted" else STATUS[exc.code], text=exc.message)
        except ValueError as exc:
            return web.Response(status=404, text=str(exc))

    return respond
