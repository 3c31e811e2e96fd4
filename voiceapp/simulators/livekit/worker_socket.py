"""`/agent`, the socket of an agents' worker: registration, load, jobs."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiohttp import web
from livekit.protocol.agent import JobType, RegisterWorkerResponse, ServerMessage, WorkerMessage, WorkerPong
from livekit.protocol.models import ServerInfo

from voiceapp.simulators.livekit.message_socket import MessageSocket
from voiceapp.simulators.livekit.registered_workers import RegisteredWorker, RegisteredWorkers

REGISTER_WITHIN_S = 10.0


async def serve_worker(request: web.Request, workers: RegisteredWorkers, server: ServerInfo) -> web.StreamResponse:
    """The token has been checked."""
    async with MessageSocket(request, WorkerMessage) as socket:
        worker = await _registered(socket, server)
        if worker is not None:
            workers.add(worker)
            try:
                async for message in socket:
                    _process(message, worker, socket)
            finally:
                workers.remove(worker)
    return socket.response


async def _registered(socket: MessageSocket[WorkerMessage], server: ServerInfo) -> RegisteredWorker | None:
    """Jobs of participants and publishers are not simulated: such a worker is refused."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REGISTER_WITHIN_S):
            async for message in socket:
                if message.WhichOneof("message") != "register" or message.register.type != JobType.JT_ROOM:
                    return None
                worker = RegisteredWorker(message.register, socket.send)
                socket.send(ServerMessage(register=RegisterWorkerResponse(worker_id=worker.id, server_info=server)))
                return worker
    return None


def _process(message: WorkerMessage, worker: RegisteredWorker, socket: MessageSocket[WorkerMessage]) -> None:
    match message.WhichOneof("message"):
        case "availability":
            worker.answer(message.availability)
        case "update_worker":
            worker.update(message.update_worker)
        case "update_job":
            worker.update_job(message.update_job)
        case "ping":
            now_ms = time.time_ns() // 1_000_000
            socket.send(ServerMessage(pong=WorkerPong(last_timestamp=message.ping.timestamp, timestamp=now_ms)))
