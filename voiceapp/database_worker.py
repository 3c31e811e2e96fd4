"""The database process itself: `python -m voiceapp.database_worker SOCKET`, started by `manage.py serve`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import signal
import socket
import sys
import traceback

import uvloop
from django.db import connection
from django.urls import get_resolver

from voiceapp import asgi
from voiceapp.core.database_process import Framed, Ready, Request, Response
from voiceapp.core.database_threads import DatabaseThreads
from voiceapp.core.metrics import read_samples
from voiceapp.core.serving import serving

# Audio comes first where both processes want the same core; a call that rings can wait for some milliseconds.
NICENESS = 10
REPORT_METRICS_EVERY_S = 1.0
# SQLite lets one transaction write at a time. The others would sleep and try again, and those who wake up would take
# the processor from the one that writes: with all threads a ring takes four times as long as with an eighth of them.
# Twilio's webhooks have one then: where time is short, calls ring longer, and those that were taken are served.
SHARE_OF_THREADS = 1 / 8 if connection.vendor == "sqlite" else 1


class Worker:
    """Does requests until the socket is closed, then ends those that have begun."""

    def __init__(self) -> None:
        self._wire = Framed(self._begin, self._leave)
        self._over = asyncio.Event()
        self._threads: dict[str, DatabaseThreads] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._has_news = False

    async def run(self, wire: socket.socket) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: self._wire, sock=wire)
        self._wire.send(Ready())
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), REPORT_METRICS_EVERY_S)
            if self._has_news:
                self._has_news = False
                self._wire.send(read_samples())
        if self._working:
            await asyncio.wait(self._working)
        for threads in self._threads.values():
            await asyncio.to_thread(threads.close)

    def _leave(self) -> None:
        self._over.set()

    def _begin(self, request: Request) -> None:
        serving.carrier, serving.live_calls = request.carrier, request.live_calls
        serving.is_draining = request.is_draining
        task = asyncio.create_task(self._do(request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _do(self, request: Request) -> None:
        name, count = request.threads
        if name not in self._threads:
            self._threads[name] = DatabaseThreads(max(1, int(count * SHARE_OF_THREADS)), name=name)
        self._has_news = True
        try:
            response = Response(request.number, await self._threads[name].run(request.work))
        except Exception as fault:  # noqa: BLE001 - raised again where the work was requested
            response = Response(request.number, fault=_sendable(fault))
        try:
            self._wire.send(response)
        except Exception as exc:  # noqa: BLE001 - whatever pickle raises
            unsendable = RuntimeError(f"not sendable: {response.fault or response.result!r}: {exc!r}")
            self._wire.send(Response(request.number, fault=unsendable))


def _sendable(fault: Exception) -> Exception:
    """The same with its traceback as a note, or an error that says what it was if it cannot be pickled."""
    fault.add_note("".join(traceback.format_exception(fault)))
    try:
        pickle.loads(pickle.dumps(fault))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever its class raises
        unsendable = RuntimeError(repr(fault))
        unsendable.__notes__ = fault.__notes__
        return unsendable
    return fault


def main() -> None:
    # The process that carries the calls ends this one, by closing the socket, when its drain is over.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    os.nice(NICENESS)
    assert asgi.application is not None  # it has loaded everything that requests name
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker().run(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
