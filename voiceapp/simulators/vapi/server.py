"""The server: REST, the sockets of the calls, and the control URLs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from voiceapp.simulators.fault_path import UnknownFault
from voiceapp.simulators.model.voice_model import VoiceModel
from voiceapp.simulators.vapi.account import VapiAccount
from voiceapp.simulators.vapi.call import VapiCall
from voiceapp.simulators.vapi.client_socket import ClientSocket
from voiceapp.simulators.vapi.dto import check_control
from voiceapp.simulators.vapi.errors import VapiError, not_found, refusal
from voiceapp.simulators.vapi.faults import VapiFaults
from voiceapp.simulators.vapi.inbound import receive_call
from voiceapp.simulators.vapi.live_call import LiveCall
from voiceapp.simulators.vapi.recordings import RecordingFiles
from voiceapp.simulators.vapi.rest import RestApi
from voiceapp.simulators.vapi.server_messages import ServerMessages
from voiceapp.simulators.vapi.webhooks import CallWebhooks, SentWebhook, WebhookSender

DEFAULT_ASSISTANT_ID = "732ba29e-4aeb-48ad-bd47-440d3fce8b26"
_MAX_FRAME_BYTES = 1 << 20


class VapiSimulator:
    """`async with VapiSimulator() as simulator: simulator.base_url`.

    `keys`: accepted private keys, by default those of `VAPI_API_KEY` (comma separated). `server`: the organization's
    server URL, written as an assistant's. `webhooks`: what was sent to server URLs, the newest last.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, keys: Iterable[str] | None = None,
        server: Mapping[str, Any] | None = None, assistant_id: str = "",
    ) -> None:  # fmt: skip
        configured = os.environ.get("VAPI_API_KEY", "").split(",") if keys is None else keys
        self._host, self._port = host, port
        self.account = VapiAccount(frozenset(key.strip() for key in configured if key.strip()), server)
        self.account.assistants.create(
            {"name": "Service agent", "firstMessage": "Hello, how can I help you?"},
            assistant_id=assistant_id or os.environ.get("VAPI_ASSISTANT_ID") or DEFAULT_ASSISTANT_ID,
        )
        self._rest = RestApi(self.account, end_call=lambda call_id: self._pass_on(call_id, {"type": "end-call"}))
        self._sender = WebhookSender(self.account.credentials)
        self._model = VoiceModel()
        self._live: dict[str, LiveCall] = {}
        self._no_live_calls = asyncio.Event()
        self._no_live_calls.set()
        self._sockets: set[web.WebSocketResponse] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """`http://HOST:PORT`"""
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """The value of `VAPI_BASE_URL`."""
        return self.address

    def fault_url(self, *faults: str) -> str:
        """The base URL with faults: `fault_url("slow=300", "no_interrupt")`."""
        return f"{self.address}{''.join(f'/fault/{fault}' for fault in faults)}"

    @property
    def live_calls(self) -> int:
        return len(self._live)

    @property
    def webhooks(self) -> list[SentWebhook]:
        return list(self._sender.sent)

    @property
    def calls(self) -> dict[str, VapiCall]:
        """All calls by id."""
        return self.account.calls

    async def idle(self) -> None:
        """Wait until all calls are over and their webhooks are delivered or given up."""
        await self._no_live_calls.wait()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def close_calls(self, code: int = 1012) -> None:
        """Close the sockets of all calls with a close frame; their calls end as if the client had left."""
        await asyncio.gather(*(socket.close(code=code) for socket in set(self._sockets)))

    async def __aenter__(self) -> VapiSimulator:
        app = web.Application()
        self._rest.add_to(app)
        prefix = "/{faults:(?:fault/[^/]+/)*}{call_id}"
        app.router.add_get(f"{prefix}/transport", self._transport)
        app.router.add_post(f"{prefix}/control", self._control)
        app.router.add_get(f"{prefix}/recording/{{name}}", RecordingFiles(self.account).serve)
        app.router.add_post("/{faults:(?:fault/[^/]+/)*}local/inbound", self._inbound)
        app.router.add_get("/health", self._health)
        await self._sender.open()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        if self._port == 0:
            self._port = int(self._runner.addresses[0][1])
        self.account.address = self.address
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_calls(WSCloseCode.GOING_AWAY)
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self._sender.close()
        self._model.close()

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "calls": self.live_calls})

    async def _transport(self, request: web.Request) -> web.StreamResponse:
        """The socket of a call. Its URL is the secret: no header is needed; it opens once."""
        call = self.calls.get(request.match_info["call_id"])
        if call is None or call.status != "queued":
            return not_found("Call", request.match_info["call_id"]).response()
        faults = call.faults
        if "refuse_socket" in faults:
            return refusal(faults.number("refuse_socket")).response()
        call.status = "ringing"
        await asyncio.sleep(faults.seconds("slow_socket"))
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME_BYTES, compress=False, timeout=0.5)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            if "echo" in faults:
                await _echo(socket, call)
            else:
                await self._converse(request, socket, call)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse, call: VapiCall) -> None:
        client = ClientSocket(socket, request.transport, call.faults, call.settings.client_messages)
        webhooks = CallWebhooks(self._sender, call.faults)
        live = LiveCall(call, client, self._model, ServerMessages(call, webhooks, self.account.server))
        self._live[call.id] = live
        self._no_live_calls.clear()
        writing = asyncio.create_task(client.run())
        running = asyncio.create_task(live.run())
        try:
            await _read(socket, live)
            live.end("customer-ended-call")
            await running
            await asyncio.wait([writing], timeout=1)
            live.reports.after_close()
        finally:
            running.cancel()
            writing.cancel()
            await asyncio.gather(running, writing, return_exceptions=True)
            self._keep(asyncio.create_task(webhooks.aclose()))
            self._live.pop(call.id, None)
            if not self._live:
                self._no_live_calls.set()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _control(self, request: web.Request) -> web.Response:
        """The control URL of a live call."""
        try:
            message = check_control(_json(await request.text()))
            if not self._pass_on(request.match_info["call_id"], message):
                raise not_found("Call", request.match_info["call_id"])
        except VapiError as exc:
            return exc.response()
        return web.json_response({})

    async def _inbound(self, request: web.Request) -> web.Response:
        """A call to a number of the account: `inbound.receive_call`."""
        try:
            faults = VapiFaults.of(request.match_info["faults"])
            body = _json(await request.text())
            return web.json_response(await receive_call(self.account, self._sender, body, faults), status=201)
        except UnknownFault as exc:
            return VapiError(404, str(exc)).response()
        except VapiError as exc:
            return exc.response()

    def _pass_on(self, call_id: str, message: Mapping[str, Any]) -> bool:
        """Pass a valid control message to a live call. Returns False if there is none with this id."""
        live = self._live.get(call_id)
        if live is not None:
            live.control(message)
        return live is not None


async def _read(socket: web.WebSocketResponse, live: LiveCall) -> None:
    """Until either side closes. Messages that are not valid are ignored, as VAPI ignores them."""
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            live.receive_audio(message.data)
        elif message.type is WSMsgType.TEXT:
            try:
                live.control(check_control(_json(message.data)))
            except VapiError:
                continue


async def _echo(socket: web.WebSocketResponse, call: VapiCall) -> None:
    """The fault `echo`, for load tests: all audio is returned at once, nothing else happens."""
    call.begin()
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT and '"end-call"' in message.data:
            break
    call.finish("customer-ended-call")


def _json(text: str) -> Any:
    """Raises VapiError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise VapiError(400, "Unexpected token in JSON.") from exc
