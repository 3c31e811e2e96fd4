"""The server: it authenticates a client and runs its session until either side closes it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.openai.client_secrets import ClientSecrets
from voiceapp.simulators.openai.echo import echo
from voiceapp.simulators.openai.event_sender import EventSender
from voiceapp.simulators.openai.faults import OpenAIFaults
from voiceapp.simulators.openai.gate import Gate
from voiceapp.simulators.openai.http_errors import BETA, error_response, error_with_status
from voiceapp.simulators.openai.http_faults import inject_fault
from voiceapp.simulators.openai.schema import InvalidRequest
from voiceapp.simulators.openai.session import RealtimeSession
from voiceapp.simulators.openai.socket_sender import SocketSender
from voiceapp.simulators.openai.transcriptions import transcribe
from voiceapp.simulators.openai.validation import LONGEST_FRAME_BYTES
from voiceapp.simulators.openai.webrtc.calls import WebRTCCalls, follow
from voiceapp.simulators.openai.webrtc.playout import Playout
from voiceapp.simulators.openai.webrtc.routes import create_call, hang_up, no_such_call

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
        accepted = frozenset(key.strip() for key in configured if key.strip())
        self._gate = Gate(accepted, frozenset(models))
        self._host, self._port, self._ahead, self._limit_s = host, port, ahead, session_limit_s
        self._model = VoiceModel()
        self._runner: web.AppRunner | None = None
        self._live: set[web.WebSocketResponse] = set()
        self._calls = WebRTCCalls()

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

    @property
    def live_calls(self) -> int:
        """WebRTC calls."""
        return len(self._calls)

    @property
    def secrets(self) -> ClientSecrets:
        """What was minted."""
        return self._gate.secrets

    async def close_sessions(self, code: int = 1012) -> None:
        """Close the open sessions with a close frame."""
        await asyncio.gather(*(socket.close(code=code) for socket in set(self._live)))

    async def hang_up_calls(self, code: int = 1000) -> None:
        """End the WebRTC calls; their side channels are closed with this code."""
        await self._calls.close(code, "The call has ended.")

    async def __aenter__(self) -> OpenAISimulator:
        app = web.Application()
        for method, path, handler in (
            ("GET", "realtime", self._realtime),
            ("POST", "realtime/client_secrets", self._client_secrets),
            ("POST", "realtime/calls", self._create_call),
            ("POST", "realtime/calls/{call_id}/hangup", self._hang_up),
            ("POST", "audio/transcriptions", self._transcriptions),
        ):
            app.router.add_route(method, f"/{{faults:(?:fault/[^/]+/)*}}v1/{path}", with_faults(handler))
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
        await self._calls.close(1001, "server stops")
        await asyncio.gather(*(socket.close(code=1001, message=b"server stops") for socket in set(self._live)))
        if self._runner is not None:
            await self._runner.cleanup()
        self._model.close()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "sessions": self.live_sessions})

    async def _realtime(self, request: web.Request, faults: OpenAIFaults) -> web.StreamResponse:
        if (rejection := self._gate.rejection(request, faults, of_secrets=True)) is not None:
            return rejection
        if "call_id" in request.query and "no_side_channel" in faults:
            return error_with_status(403)
        if "call_id" in request.query and self._calls.find(request.query["call_id"]) is None:
            return no_such_call(request.query["call_id"])
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

    async def _client_secrets(self, request: web.Request, faults: OpenAIFaults) -> web.StreamResponse:
        if (rejection := self._gate.rejection(request, faults)) is not None:
            return rejection
        if "OpenAI-Beta" in request.headers:
            return error_response(400, *BETA)
        try:
            body = self._gate.secrets.mint(await request.read())
        except InvalidRequest as exc:
            status = 404 if exc.code == "model_not_found" else 400
            return error_response(status, exc.code, exc.message, param=exc.param)
        return await inject_fault(request, faults) or web.json_response(body)

    async def _create_call(self, request: web.Request, faults: OpenAIFaults) -> web.StreamResponse:
        return await create_call(request, faults, self._gate, self._calls, self._session)

    async def _hang_up(self, request: web.Request, faults: OpenAIFaults) -> web.StreamResponse:
        return await hang_up(request, faults, self._gate, self._calls)

    async def _transcriptions(self, request: web.Request, faults: OpenAIFaults) -> web.StreamResponse:
        if (rejection := self._gate.rejection(request, faults)) is not None:
            return rejection
        return await inject_fault(request, faults) or await transcribe(request)

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, faults: OpenAIFaults) -> None:
        transport = request.transport
        sender = SocketSender(socket, transport, faults)
        writing = asyncio.create_task(sender.run())
        try:
            if "accept_hang" in faults:
                await _discard_frames(socket)
            elif (call := self._calls.find(request.query.get("call_id", ""))) is not None:
                await follow(call, socket, sender)
            elif (error := self._gate.error_of(request)) is not None:
                code, message = error
                sender.error(code, message)
                sender.close(4000, f"invalid_request_error.{code}")
                await _discard_frames(socket)
            else:
                await self._converse(request, socket, sender, faults)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    def _session(
        self, sender: EventSender, faults: OpenAIFaults, *, model: str, settings: Mapping[str, Any],
        playout: Playout | None = None,
    ) -> RealtimeSession:  # fmt: skip
        limit_s = faults.number("session_limit_s", 0) or self._limit_s
        return RealtimeSession(
            sender,
            self._model,
            model=model,
            faults=faults,
            limit_s=limit_s,
            ahead=self._ahead,
            settings=settings,
            playout=playout,
        )

    async def _converse(
        self, request: web.Request, socket: web.WebSocketResponse, sender: SocketSender, faults: OpenAIFaults
    ) -> None:
        secret = self._gate.secret_of(request)
        settings = secret.settings if secret is not None else {}
        session = self._session(sender, faults, model=self._gate.model_of(request) or "", settings=settings)
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
            await session.aclose()


async def _discard_frames(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


def with_faults(
    handler: Callable[[web.Request, OpenAIFaults], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The faults are part of the path."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            faults = OpenAIFaults.of(request.match_info["faults"])
        except UnknownFault as error:
            return error_response(404, "unknown_fault", str(error))
        return await handler(request, faults)

    return handle
