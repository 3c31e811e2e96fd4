"""The database process: it does the database's work of one that carries calls, so that audio never waits for it.

Python runs one thread of a process at a time, and a call that rings takes some fifty queries. What is given to
`DatabaseThreads` runs in this process instead: the function goes there by its name, arguments and result as values. It
lives as long as the socket between the two, so that it survives neither a kill of the other one nor a drain.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from struct import Struct
from typing import Any, cast

import structlog
from django.conf import settings

from .database_threads import DatabaseThreads, ProcessLost
from .metrics import Samples, of_database_process
from .serving import process_name, serving

logger = structlog.get_logger("database_process")

WORKER = ("-m", "voiceapp.database_worker")
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 10.0
# One that ends sooner than this is not started again at once, and not forever.
LIVED_LONG_S = 30.0
MOST_SHORT_LIVES = 5
WAIT_S = 1.0

_SIZE = Struct("!I")


@dataclass(frozen=True, slots=True)
class Request:
    """Work for the database process, and the state of the process that carries the calls."""

    number: int
    threads: tuple[str, int]
    work: partial[Any]
    carrier: str
    live_calls: int
    is_draining: bool


@dataclass(frozen=True, slots=True)
class Response:
    """The result of a request, or the exception that it raised."""

    number: int
    result: Any = None
    fault: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The database process has loaded the application."""


class Framed(asyncio.Protocol):
    """Messages on a stream: a length, then a pickle. Both ends are ours, and nobody else can open the socket."""

    def __init__(self, on_message: Callable[[Any], None], on_end: Callable[[], None]) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _SIZE.size:
            (size,) = _SIZE.unpack_from(self._buffer, at)
            ends_at = at + _SIZE.size + size
            if ends_at > len(self._buffer):
                break
            message = pickle.loads(self._buffer[at + _SIZE.size : ends_at])  # noqa: S301 - from our own process
            at = ends_at
            self._on_message(message)
        del self._buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._on_end()

    def send(self, message: object) -> None:
        """Raises what pickle raises; a message to a process that is gone is dropped."""
        pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        if self._transport is not None:
            self._transport.write(_SIZE.pack(len(pickled)) + pickled)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class DatabaseProcess:
    """Starts the process, and another one when it ends. `give_up`: what to do when it ends again and again.

    The methods run on the event loop, apart from `start`.
    """

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self._numbers = itertools.count()
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._short_lives = 0
        self._is_closing = False
        self._is_connected = asyncio.Event()
        self._restarting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the process. It loads the application while the caller does."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *WORKER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": os.pathsep.join((str(settings.BASE_DIR), *_python_path()))},
            )
        ours.setblocking(False)
        self._socket = ours
        self._started_at = time.monotonic()

    async def connect(self) -> None:
        """From here on, the work of `DatabaseThreads` is done there. Work waits until the process has started."""
        self._is_ready = asyncio.get_running_loop().create_future()
        _, self._wire = await asyncio.get_running_loop().create_unix_connection(
            lambda: Framed(self._received, self._ended), sock=self._socket
        )
        self._is_connected.set()
        DatabaseThreads.elsewhere = self

    async def wait_until_ready(self) -> None:
        """Raises TimeoutError or ProcessLost."""
        async with asyncio.timeout(READY_WITHIN_S):
            await self._is_ready

    async def run(self, name: str, count: int, work: partial[Any]) -> Any:
        await self._is_connected.wait()
        number = next(self._numbers)
        request = Request(
            number, (name, count), work, process_name(), serving.live_calls, is_draining=serving.is_draining
        )
        response = self._pending[number] = asyncio.get_running_loop().create_future()
        try:
            self._wire.send(request)
            return await response
        finally:
            del self._pending[number]

    async def close(self) -> None:
        """End the process after the work that it has begun. Later work is done here."""
        self._is_closing = True
        DatabaseThreads.elsewhere = None
        if self._restarting is not None:
            self._restarting.cancel()
        self._wire.close()
        try:
            await asyncio.to_thread(self._process.wait, ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            logger.warning("database process killed", why="it did not end")
            self._process.kill()
            self._process.wait()

    def _received(self, message: Response | Samples | Ready) -> None:
        match message:
            case Response(number, result, fault):
                waiting = self._pending.get(number)
                if waiting is not None and not waiting.done():
                    if fault is None:
                        waiting.set_result(result)
                    else:
                        waiting.set_exception(fault)
            case Samples():
                of_database_process.now = message
            case Ready():
                if not self._is_ready.done():
                    self._is_ready.set_result(None)

    def _ended(self) -> None:
        if self._is_closing:
            return
        self._is_connected.clear()
        of_database_process.keep()
        self._process.kill()  # its end of the socket is closed: it is of no use
        logger.error("database process ended", exit_code=self._process.wait(), requests=len(self._pending))
        lost = ProcessLost("the database process ended")
        if not self._is_ready.done():
            self._is_ready.set_exception(lost)
            self._is_ready.exception()  # nobody waits for it after the start of the server
        lived_long = time.monotonic() - self._started_at > LIVED_LONG_S
        self._short_lives = 0 if lived_long else self._short_lives + 1
        self._restarting = asyncio.create_task(self._restart())
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(lost)

    async def _restart(self) -> None:
        if self._short_lives >= MOST_SHORT_LIVES:
            logger.error("database process given up", starts=self._short_lives)
            self._give_up()
        if self._short_lives > 1:
            await asyncio.sleep(WAIT_S)
        self.start()
        await self.connect()


def _python_path() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH", "")] if path]
