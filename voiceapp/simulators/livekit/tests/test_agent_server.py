"""The worker of livekit-agents registers with the simulator and gets its jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from livekit import api
from livekit.agents import AgentServer, JobContext, JobExecutorType, JobRequest
from livekit.protocol.models import ParticipantInfo

from voiceapp.simulators.livekit import LiveKitSimulator
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

pytestmark = pytest.mark.asyncio

ROOM, AGENT = "support-1", "voice-agent"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker writes its URL and keys there."""
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "")


class Jobs:
    """What the worker's entry point saw, by the metadata of the job."""

    def __init__(self) -> None:
        self.began: asyncio.Queue[JobContext] = asyncio.Queue()
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    async def accept(self, request: JobRequest) -> None:
        await request.accept(identity="ai-agent-7", attributes={"callId": request.job.metadata})

    async def enter(self, context: JobContext) -> None:
        """On the job's own loop, in its thread."""

        async def ended(reason: str) -> None:
            self._loop.call_soon_threadsafe(self.ended.put_nowait, context.job.metadata)

        context.add_shutdown_callback(ended)
        if context.job.metadata == "join":
            await context.connect()
        self._loop.call_soon_threadsafe(self.began.put_nowait, context)


@contextlib.asynccontextmanager
async def agent_server(livekit: LiveKitSimulator) -> AsyncIterator[tuple[AgentServer, Jobs]]:
    jobs, registered = Jobs(), asyncio.Event()
    server = AgentServer(
        ws_url=livekit.base_url.replace("http", "ws"), api_key=API_KEY, api_secret=API_SECRET, host="127.0.0.1", port=0,
        job_executor_type=JobExecutorType.THREAD, num_idle_processes=1, load_fnc=lambda: 0.0,
    )  # fmt: skip
    server.rtc_session(jobs.enter, agent_name=AGENT, on_request=jobs.accept)
    server.on("worker_registered", lambda *_: registered.set())
    running = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(20):
            await registered.wait()
        yield server, jobs
    finally:
        # A job's thread that does not confirm its end is waited for without end: no test is about that.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await server.aclose()
                await running


async def test_it_registers_and_runs_a_job_until_its_dispatch_is_deleted() -> None:
    async with (
        LiveKitSimulator(api_key=API_KEY, api_secret=API_SECRET) as livekit,
        agent_server(livekit) as (_, jobs),
        api.LiveKitAPI(livekit.base_url, API_KEY, API_SECRET) as client,
        asyncio.timeout(20),
    ):
        created = await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT, metadata="1")
        )
        context = await jobs.began.get()
        assert (context.job.dispatch_id, context.job.room.name, context.job.metadata) == (created.id, ROOM, "1")
        await client.agent_dispatch.delete_dispatch(created.id, ROOM)
        assert await jobs.ended.get() == "1"


async def test_its_agent_is_in_the_room_until_the_room_is_deleted() -> None:
    async with (
        LiveKitSimulator(api_key=API_KEY, api_secret=API_SECRET) as livekit,
        agent_server(livekit) as (_, jobs),
        api.LiveKitAPI(livekit.base_url, API_KEY, API_SECRET) as client,
        asyncio.timeout(20),
    ):
        agents = [api.RoomAgentDispatch(agent_name=AGENT, metadata="join")]
        await client.room.create_room(api.CreateRoomRequest(name=ROOM, agents=agents))
        await jobs.began.get()
        (agent,) = (await client.room.list_participants(api.ListParticipantsRequest(room=ROOM))).participants
        assert (agent.identity, agent.kind, agent.state) == (
            "ai-agent-7", ParticipantInfo.Kind.AGENT, ParticipantInfo.State.ACTIVE,
        )  # fmt: skip
        assert dict(agent.attributes) == {"callId": "join", "lk.agent.name": AGENT, "lk.agent_name": AGENT}
        await client.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        assert await jobs.ended.get() == "join"
