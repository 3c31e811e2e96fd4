"""The web process: uvicorn with our own drain.

Stock uvicorn closes every socket with 1012 on SIGTERM, so that a deployment would cut all calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import resource
import signal
import socket
from collections.abc import Callable
from types import FrameType

import structlog
import uvicorn
from django.conf import settings

from sessions.calls.end_reasons import EndReason
from telephony.live.garbage import GarbageCollection
from telephony.live.gateway import call_gateway
from telephony.live.idle_links import idle_links
from telephony.live.registry import LiveCalls, live_calls
from telephony.vapi.webhooks import vapi_threads
from voiceapp.console.call_page.progress_feed import page_threads
from voiceapp.core.database_process import DatabaseProcess
from voiceapp.core.feeds.following import feed_threads
from voiceapp.core.http.http_protocol import BoundedHttpProtocol
from voiceapp.core.http.pooled_requests import webhook_threads
from voiceapp.core.http.websocket_protocol import DirectWebSocketProtocol

logger = structlog.get_logger("server")

MAX_FRAME_BYTES = 64 * 1024
DEAD_PEER_TIMEOUT_MS = 15_000
HANG_UP_TIMEOUT_S = 10.0
LAST_REQUESTS_S = 1.0
POLL_INTERVAL_S = 0.05
MAX_OPEN_FILES = 65_536
# malloc.h
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
LARGE_BLOCK_BYTES = 128 * 1024


def is_draining() -> bool:
    """Whether the server is stopping: it is not ready and accepts no new call."""
    return live_calls.is_draining


class Server(uvicorn.Server):
    """On the first signal live calls continue until they end or the budget is used up; on the second they end now."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        calls: LiveCalls,
        budget_s: float,
        when_listening: Callable[[], None],
        has_database_process: bool = False,
    ):
        super().__init__(config)
        self._database_process = DatabaseProcess(self._stop) if has_database_process else None
        if self._database_process is not None:
            self._database_process.start()  # it loads the application while this process does
        self._calls = calls
        self._budget_s = budget_s
        self._when_listening = when_listening
        self._has_second_signal = False
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._database_process is not None:
            await self._database_process.connect()
            await self._database_process.wait_until_ready()
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        idle_links.start()
        # Loaded modules stay: the garbage collector does not have to visit them during calls.
        gc.collect()
        gc.freeze()
        self._calls.garbage = GarbageCollection()
        self._when_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        idle_links.stop()
        await super().shutdown(sockets)
        if self._database_process is not None:
            await self._database_process.close()

    def _stop(self) -> None:
        """Without its database a process can take no call: live ones end, then its supervisor starts another."""
        self.handle_exit(signal.SIGTERM, None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:
            self.should_exit = True
        elif self._calls.is_draining:
            self._has_second_signal = True
        else:
            self._calls.start_draining()
            self._loop.call_soon_threadsafe(self._start_draining)

    def _start_draining(self) -> None:
        self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        idle_links.stop()
        logger.info("draining", calls=len(self._calls), budget_s=self._budget_s)
        had_calls = bool(self._calls)
        await self._wait_for_calls(self._budget_s, until_second_signal=True)
        if self._calls:
            logger.warning("calls ended by the drain", calls=len(self._calls))
            self._calls.hang_up_all(EndReason.SERVER_STOPPING)
            await self._wait_for_calls(HANG_UP_TIMEOUT_S)
        await self._calls.wait_until_closed(within_s=HANG_UP_TIMEOUT_S)
        if had_calls and not self._has_second_signal:
            # The carrier requests what follows the last streams at once; we must still respond.
            await asyncio.sleep(LAST_REQUESTS_S)
        self.should_exit = True

    async def _wait_for_calls(self, budget_s: float, *, until_second_signal: bool = False) -> None:
        end = self._loop.time() + budget_s
        # Three things end it, one of them in a signal handler: polling is simpler than an event for each.
        while self._calls and self._loop.time() < end and not (until_second_signal and self._has_second_signal):  # noqa: ASYNC110
            await asyncio.sleep(POLL_INTERVAL_S)


def uvicorn_config() -> uvicorn.Config:
    """The server's configuration; the tests use the same."""
    return uvicorn.Config(
        "voiceapp.asgi:application",
        loop="uvloop",
        http=BoundedHttpProtocol,
        ws=DirectWebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        # A carrier sends fifty frames a second and needs no pings; the call notices its silence.
        ws_ping_interval=None,
        lifespan="off",
        proxy_headers=False,  # TRUSTED_PROXY_COUNT decides which headers are trusted
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",  # its lines would contain query strings of sockets
        timeout_graceful_shutdown=5,
    )


class AddressUnavailable(Exception):
    """Another program listens there, or this user or machine may not; the reason is the operating system's."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections end if their peer reads nothing for 15 s."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_TIMEOUT_MS)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise AddressUnavailable(exc.strerror or str(exc)) from exc
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def serve(host: str, port: int, *, when_listening: Callable[[str], None]) -> None:
    """Serve until a signal and the drain after it. `when_listening` receives the URL as soon as the server listens.

    Raises AddressUnavailable.
    """
    listener = listen(host, port)
    raise_file_limit()
    return_freed_memory()
    bound_port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server = Server(
        uvicorn_config(),
        calls=live_calls,
        budget_s=settings.DRAIN_BUDGET_S,
        when_listening=lambda: when_listening(f"http://{shown}:{bound_port}"),
        has_database_process=settings.DATABASE_PROCESS,
    )
    try:
        server.run(sockets=[listener])
    finally:
        webhook_threads.close()
        vapi_threads.close()
        call_gateway().close()
        page_threads.close()
        feed_threads.close()


def return_freed_memory() -> None:
    """Keep glibc from holding on to what is freed.

    It has an arena per thread and keeps freed memory in it: with two arenas, a call needs a third less. And its limit
    for blocks that are returned at once grows with use: fixed, a call over TLS needs 300 KB less.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def raise_file_limit() -> None:
    """Two sockets per call, and the database must be able to open files under the highest load."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
