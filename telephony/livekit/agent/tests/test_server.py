"""The worker takes the calls that come at once, up to the most that it may have."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import api
from livekit.agents import AgentServer, JobContext, JobRequest
from livekit.agents.job import JobAcceptArguments
from livekit.protocol.agent import Job
from pytest_django import Settings

from telephony.livekit.agent import jobs
from telephony.livekit.agent.server import Places, agent_server, show_project_to_children
from voiceapp.simulators.livekit import LiveKitSimulator
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, name_livekit

pytestmark = [pytest.mark.asyncio, pytest.mark.waits]

METADATA = json.dumps({"agentIdentity": "ai-agent-7"})


@contextlib.asynccontextmanager
async def registered(server: AgentServer) -> AsyncIterator[None]:
    has_registered = asyncio.Event()
    server.on("worker_registered", lambda *_: has_registered.set())
    running = asyncio.create_task(server.run())
    try:
        await has_registered.wait()
        yield
    finally:
        await server.aclose()
        await running


async def test_more_calls_at_once_than_there_are_processes_waiting_are_all_taken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Queue[str]()

    async def begin(context: JobContext) -> None:
        loop.call_soon_threadsafe(begun.put_nowait, context.job.room.name)

    monkeypatch.setattr(jobs, "entrypoint", begin)
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "")  # the worker writes its own there
    rooms = {f"support-{number}" for number in range(3)}
    async with asyncio.timeout(30), LiveKitSimulator(api_key=API_KEY, api_secret=API_SECRET) as livekit:
        name_livekit(settings, livekit.base_url)
        async with (
            registered(agent_server(idle=1, most_calls=3, port=0, in_threads=True)),
            api.LiveKitAPI(livekit.base_url, API_KEY, API_SECRET) as client,
        ):
            wanted = [
                api.CreateAgentDispatchRequest(room=room, agent_name=settings.LIVEKIT_AGENT_NAME, metadata=METADATA)
                for room in rooms
            ]
            await asyncio.gather(*map(client.agent_dispatch.create_dispatch, wanted))
            assert {await begun.get() for _ in rooms} == rooms


async def test_jobs_find_the_project_when_the_worker_was_started_in_another_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    show_project_to_children()
    child = [sys.executable, "-c", f"import {jobs.__package__}"]
    assert await asyncio.to_thread(subprocess.call, child, cwd=tmp_path) == 0


class Requested:
    """A request of LiveKit's for an agent. `answer`: what it got; None: nothing yet."""

    def __init__(self) -> None:
        self.answer: bool | None = None
        self.is_offered_to_others = True
        self.assigned = asyncio.Event()
        self.request = JobRequest(job=Job(metadata=METADATA), on_reject=self._reject, on_accept=self._accept)

    async def _accept(self, arguments: JobAcceptArguments) -> None:
        self.answer = True
        await self.assigned.wait()

    async def _reject(self, terminate: bool) -> None:
        self.answer, self.is_offered_to_others = False, not terminate


async def test_a_worker_with_all_the_calls_that_it_may_have_leaves_the_next_one_to_others() -> None:
    places = Places(lambda: 1, most=2)
    taken, refused = Requested(), Requested()
    taking = asyncio.create_task(places.on_request(taken.request))
    while taken.answer is None:
        await asyncio.sleep(0)
    assert places.load() == 1.0
    await places.on_request(refused.request)
    assert (taken.answer, refused.answer, refused.is_offered_to_others) == (True, False, True)
    taken.assigned.set()
    await taking
    assert places.load() == 0.5
