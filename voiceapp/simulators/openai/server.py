"""The server: it authenticates a client and runs its session until either side closes it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType

from aiohttp import WSMsgType, web

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.openai.client_secrets import ClientSecrets
from voiceapp.simulators.openai.echo import echo
from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.http_errors import BETA, error_response, error_with_status
from voiceapp.simulators.openai.http_faults import inject_fault
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session import RealtimeSession
from voiceapp.simulators.openai.transcriptions import transcribe
from voiceapp.simulators.openai.validation import LONGEST_FRAME_BYTES

MODELS = frozenset({
    "gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini", "gpt-realtime-1.5", "gpt-realtime-2",
    "gpt-realtime-2.1", "gpt-realtime-2.1-mini",
})  # fmt: skip
_log = logging.getLogger(__name__)


class OpenAISimulator:
    """`async with OpenAISimulator() as simulator: simulator.base_url`.

    `keys`: accepted API keys, by default those of `OPENAI_API_KEY` (comma separated). `ahead`: how many times faster
    than real time audio leaves. `session_limit_s`: when a session is closed with 1001.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, keys: Iterable[str] | None = None, ahead: float = 5.0,
        session_limit_s: float = 3600, models: Iterable[str] = MODELS,
    ) -> None:  # fmt: skip
        configured = os.environ.get("OPENAI_API_KEY", "").split(",") if keys is None else keys
        self._keys = frozenset(key.strip() for key in configured if key.strip())
        self._host, self._port, self._ahead, self._limit_s = host, port, ahead, session_limit_s
        self._models = frozenset(models)
        self._secrets = ClientSecrets(self._models)
        self._attempts: Counter[str] = Counter()
        self._model = VoiceModel()
        self._runner: web.AppRunner | None = None
        self._live: set[web.WebSocketResponse] = set()

    @property
    def address(self) -> str:
        """`http://HOST:PORT`"""
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """The value of `OPENAI_BASE_URL`."""
        return f"{self.address}/v1"

    def fault_url(self, *faults: str) -> str:
        """The base URL with faults: `fault_url("slow=300", "no_interrupt")`."""
        return f"{self.address}{''.join(f'/fault/{fault}' for fault in faults)}/v1"

    @property
    def live_sessions(self) -> int:
        return len(self._live)

    async def close_sessions(self, code: int = 1012) -> None:
        """Close the open sessions with a close frame."""
        await asyncio.gather(*(socket.close(code=code) for socket in set(self._live)))

    async def __aenter__(self) -> OpenAISimulator:
        app = web.Application()
        app.router.add_get("/{faults:(?:fault/[^/]+/)*}v1/realtime", self._realtime)
        app.router.add_post("/{faults:(?:fault/[^/]+/)*}v1/realtime/client_secrets", self._client_secrets)
        app.router.add_post("/{faults:(?:fault/[^/]+/)*}v1/audio/transcriptions", self._transcriptions)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        if self._port == 0:
            self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(socket.close(code=1001, message=b"server stops") for socket in set(self._live)))
        if self._runner is not None:
            await self._runner.cleanup()
        self._model.close()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "sessions": self.live_sessions})

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        try:
            faults = OpenAIFaults.of(request.match_info["faults"])
        except UnknownFault as error:
            return error_response(404, "unknown_fault", str(error))
        if (rejection := self._rejection(request, faults, self._may_connect)) is not None:
            return rejection
        await faults.delay_connection()
        protocols = ("realtime",) if "Sec-WebSocket-Protocol" in request.headers else ()
        socket = web.WebSocketResponse(
            max_msg_size=LONGEST_FRAME_BYTES, compress=False, protocols=protocols, timeout=0.5
        )
        await socket.prepare(request)
        self._live.add(socket)
        try:
            await self._serve(request, socket, faults)
        finally:
            self._live.discard(socket)
        return socket

    async def _client_secrets(self, request: web.Request) -> web.StreamResponse:
        try:
            faults = OpenAIFaults.of(request.match_info["faults"])
        except UnknownFault as error:
            return error_response(404, "unknown_fault", str(error))
        if (rejection := self._rejection(request, faults, self._keys.__contains__)) is not None:
            return rejection
        if "OpenAI-Beta" in request.headers:
            return error_response(400, *BETA)
        try:
            body = self._secrets.mint(await request.read())
        except InvalidRequest as exc:
            status = 404 if exc.code == "model_not_found" else 400
            return error_response(status, exc.code, exc.message, param=exc.param)
        return await inject_fault(request, faults) or web.json_response(body)

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        try:
            faults = OpenAIFaults.of(request.match_info["faults"])
        except UnknownFault as error:
            return error_response(404, "unknown_fault", str(error))
        if (rejection := self._rejection(request, faults, self._keys.__contains__)) is not None:
            return rejection
        return await inject_fault(request, faults) or await transcribe(request)

    def _may_connect(self, key: str) -> bool:
        return key in self._keys or self._secrets.find(key) is not None

    def _rejection(
        self, request: web.Request, faults: OpenAIFaults, accepts: Callable[[str], bool]
    ) -> web.Response | None:
        self._attempts[faults.key] += 1
        if "flaky" in faults and self._attempts[faults.key] <= faults.number("flaky"):
            return error_with_status(503)
        if "refuse" in faults:
            return error_with_status(faults.number("refuse"))
        return None if accepts(_key_of(request)) else error_with_status(401)

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, faults: OpenAIFaults) -> None:
        transport = request.transport
        sender = EventSender(socket, transport, faults)
        writing = asyncio.create_task(sender.run())
        try:
            if "accept_hang" in faults:
                await _discard_frames(socket)
            elif (error := self._error_of(request)) is not None:
                code, message = error
                sender.error(code, message)
                sender.close(4000, f"invalid_request_error.{code}")
                await _discard_frames(socket)
            else:
                await self._converse(request, socket, sender, faults)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    def _error_of(self, request: web.Request) -> tuple[str, str] | None:
        if "OpenAI-Beta" in request.headers:
            return BETA
        model = self._model_of(request)
        if model is None:
            return "missing_model", "You must provide a model parameter."
        if model not in self._models:
            return "model_not_found", f"The model `{model}` does not exist or you do not have access to it."
        return None

    def _model_of(self, request: web.Request) -> str | None:
        secret = self._secrets.find(_key_of(request))
        return request.query.get("model", secret.model if secret is not None else None)

    async def _converse(
        self, request: web.Request, socket: web.WebSocketResponse, sender: EventSender, faults: OpenAIFaults
    ) -> None:
        limit_s = faults.number("session_limit_s", 0) or self._limit_s
        secret = self._secrets.find(_key_of(request))
        session = RealtimeSession(
            sender, self._model, model=self._model_of(request) or "", faults=faults, limit_s=limit_s, ahead=self._ahead,
            settings=secret.settings if secret is not None else {},
        )  # fmt: skip
        length = f"{limit_s / 60:g} minutes" if limit_s >= 60 else f"{limit_s:g} seconds"
        limit = asyncio.get_running_loop().call_later(
            limit_s, sender.close, 1001, f"Your session hit the maximum duration of {length}."
        )
        try:
            session.open()
            if "echo" in faults:
                await echo(socket, session, sender)
            else:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        session.receive(message.data)
                    elif message.type is WSMsgType.BINARY:
                        sender.error("invalid_json", "Could not parse the event: binary frames are not supported.")
        finally:
            limit.cancel()
            await session.aclose()


async def _discard_frames(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


def _key_of(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        name, _, key = protocol.strip().partition("openai-insecure-api-key.")
        if not name and key:
            return key
    return ""
