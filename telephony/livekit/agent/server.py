"""The worker: registers with LiveKit, keeps processes warm, takes as many calls as it may, and drains on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
from collections.abc import Callable

from django.conf import settings
from livekit.agents import AgentServer, JobExecutorType, JobRequest

from . import jobs

# Otherwise a model that detects the end of a turn is loaded: 280 MiB in each job. OpenAI detects it.
os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")


class Places:
    """For calls: `occupied` ones, and those that are being taken, count up to `most`.

    The library's own threshold refuses calls that come at once beyond the processes that wait, be there places or not.
    """

    def __init__(self, occupied: Callable[[], int], *, most: int) -> None:
        self._occupied, self._most = occupied, most
        self._taking = 0

    def load(self) -> float:
        return min(1.0, (self._occupied() + self._taking) / self._most)

    async def on_request(self, request: JobRequest) -> None:
        if self.load() >= 1.0:
            await request.reject(terminate=False)  # LiveKit asks the next worker
            return
        self._taking += 1
        try:
            await jobs.on_request(request)
        finally:
            self._taking -= 1


def agent_server(*, idle: int, most_calls: int, port: int, in_threads: bool = False) -> AgentServer:
    """`idle`: processes that wait for a call. `most_calls` at once; beyond that, LiveKit uses other workers.

    `port`: of the health check, on this machine alone (0: any).
    """
    places = Places(lambda: len(server.active_jobs), most=most_calls)
    server = AgentServer(
        ws_url=settings.LIVEKIT_INTERNAL_URL,
        api_key=settings.LIVEKIT_API_KEY,
        api_secret=settings.LIVEKIT_API_SECRET,
        host="127.0.0.1",
        port=port,
        job_executor_type=JobExecutorType.THREAD if in_threads else JobExecutorType.PROCESS,
        num_idle_processes=idle,
        setup_fnc=jobs.prewarm,
        preload_modules=[f"{jobs.__package__}.preload"],
        load_fnc=places.load,
        load_threshold=math.inf,
        drain_timeout=settings.DRAIN_BUDGET_S,
    )
    server.rtc_session(jobs.entrypoint, agent_name=settings.LIVEKIT_AGENT_NAME, on_request=places.on_request)
    return server


def show_project_to_children() -> None:
    """Jobs are forked from a process that finds modules on this path alone, in whatever folder this one was started.

    Without them each job would import everything itself, which takes a second and 140 MiB.
    """
    paths = [str(settings.BASE_DIR), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))


async def serve(server: AgentServer, on_registered: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT; then it takes no call, and ends when those it has are over or the time is up."""
    show_project_to_children()
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server.on("worker_registered", lambda *_: on_registered())
    running, stopping = loop.create_task(server.run()), loop.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        with contextlib.suppress(TimeoutError):
            await server.drain()
        await server.aclose()
    await running
