"""The web process: uvicorn with a drain of our own.

Stock uvicorn cuts every socket with 1012 on SIGTERM, so a deployment would end every call in the middle of a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import resource
import socket
from collections.abc import Callable
from types import FrameType

import structlog
import uvicorn
from django.conf import settings

from sessions.calls.end_reasons import EndReason
from telephony.live.gateway import stream_desk
from telephony.live.registry import LiveCalls, live_calls
from voiceapp.core.http.http_protocol import BoundedHttpProtocol

logger = structlog.get_logger("server")

LARGEST_FRAME_BYTES = 64 * 1024
DEAD_PEER_AFTER_MS = 15_000
ENDING_WITHIN_S = 10.0
LAST_REQUESTS_S = 1.0
LOOK_EVERY_S = 0.05
MOST_FILES = 65_536
M_ARENA_MAX = -8  # malloc.h


def is_draining() -> bool:
    """The server was told to stop: it is not ready and takes no new call."""
    return live_calls.is_draining


class Server(uvicorn.Server):
    """On the first signal live calls go on until they end or the budget is used up; on the second they end now."""

    def __init__(
        self, config: uvicorn.Config, *, calls: LiveCalls, budget_s: float, when_listening: Callable[[], None]
    ):
        super().__init__(config)
        self._calls = calls
        self._budget_s = budget_s
        self._when_listening = when_listening
        self._is_hurried = False
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        # What was loaded until now stays: the collector need not walk through it in the middle of a call.
        gc.collect()
        gc.freeze()
        self._when_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:
            self.should_exit = True
        elif self._calls.is_draining:
            self._is_hurried = True
        else:
            self._calls.start_draining()
            self._loop.call_soon_threadsafe(self._start_draining)

    def _start_draining(self) -> None:
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        logger.info("draining", calls=len(self._calls), budget_s=self._budget_s)
        had_calls = bool(self._calls)
        await self._quiet_within(self._budget_s, unless_hurried=True)
        if self._calls:
            logger.warning("calls ended by the drain", calls=len(self._calls))
            self._calls.hang_up_all(EndReason.SERVER_STOPPING)
            await self._quiet_within(ENDING_WITHIN_S)
        if had_calls and not self._is_hurried:
            # The carrier asks at once what follows the last streams; an answer must still be here.
            await asyncio.sleep(LAST_REQUESTS_S)
        self.should_exit = True

    async def _quiet_within(self, budget_s: float, *, unless_hurried: bool = False) -> None:
        end = self._loop.time() + budget_s
        # Three things end it, one of them in a signal handler: looking is simpler than an event for each.
        while self._calls and self._loop.time() < end and not (unless_hurried and self._is_hurried):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)


def uvicorn_config() -> uvicorn.Config:
    """What a socket of ours may do, in one place; the tests serve with the same."""
    return uvicorn.Config(
        "voiceapp.asgi:application",
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME_BYTES,
        ws_per_message_deflate=False,
        # A carrier that sends fifty frames a second needs no pings; its silence is noticed by the call.
        ws_ping_interval=None,
        lifespan="off",
        proxy_headers=False,  # whose word counts is decided by TRUSTED_PROXY_COUNT
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",  # its own lines would carry the queries of sockets
        timeout_graceful_shutdown=5,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections die when their peer has read nothing for 15 s."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_AFTER_MS)
    listener.bind((host, port))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def serve(host: str, port: int, *, when_listening: Callable[[str], None]) -> None:
    """Serve until a signal and the drain after it. `when_listening` is told our address once requests are answered."""
    raise_file_limit()
    limit_malloc_arenas()
    listener = listen(host, port)
    bound_port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server = Server(
        uvicorn_config(),
        calls=live_calls,
        budget_s=settings.DRAIN_BUDGET_S,
        when_listening=lambda: when_listening(f"http://{shown}:{bound_port}"),
    )
    try:
        server.run(sockets=[listener])
    finally:
        stream_desk().close()


def limit_malloc_arenas() -> None:
    """glibc gives each thread an arena and keeps what is freed in it: with two, a call costs a third less memory."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def raise_file_limit() -> None:
    """Two sockets per call, and a database that must still be opened at the busiest moment."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
