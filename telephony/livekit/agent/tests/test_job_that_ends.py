"""A job ends with its process: not before the agent has written what it knows."""

from __future__ import annotations

import asyncio
import queue
from types import SimpleNamespace

import pytest
from livekit import api
from livekit.agents import AgentServer, JobContext
from pytest_django import Settings

from telephony.livekit.agent import jobs
from telephony.livekit.agent.server import agent_server
from voiceapp.simulators.livekit import LiveKitSimulator
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET, name_livekit

from .test_server import METADATA, registered

pytestmark = [pytest.mark.asyncio, pytest.mark.waits, pytest.mark.embedded]

# What a busy machine takes to close a session and a file.
CLOSES_IN_S = 0.7
happened: queue.Queue[str] = queue.Queue()


class SlowGateway:
    """Without a database."""

    async def brief(self, call_id: str, **named: str) -> object:
        return SimpleNamespace(call_id=call_id, identity=named["identity"], has_others=False)

    async def write_facts(self) -> None:
        happened.put("facts written")

    async def aclose(self) -> None:
        """Nothing to close."""


class SlowConversation:
    def __init__(self, *_: object) -> None:
        self._over = asyncio.Event()

    async def start(self) -> None:
        happened.put("begun")

    async def run(self) -> None:
        await self._over.wait()
        await asyncio.sleep(CLOSES_IN_S)
        happened.put("file whole")

    def stop(self, *, has_left: bool = False) -> None:
        self._over.set()


async def _nothing(context: JobContext) -> None:
    """In the place of a connection."""


async def next_one() -> str:
    return await asyncio.to_thread(happened.get, timeout=20)


async def test_an_agent_is_not_cut_off_before_its_recording_is_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker ends the job: it is stopped, or LiveKit says that the room is gone."""
    monkeypatch.setattr(jobs, "RoomGateway", SlowGateway)
    monkeypatch.setattr(jobs, "RoomConversation", SlowConversation)
    # A job in a thread must not leave connections of LiveKit's library to the end of the process.
    monkeypatch.setattr(JobContext, "connect", _nothing)
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "")  # the worker writes its own there
    async with asyncio.timeout(40), LiveKitSimulator(api_key=API_KEY, api_secret=API_SECRET) as livekit:
        name_livekit(settings, livekit.base_url)
        server: AgentServer = agent_server(idle=1, most_calls=1, port=0, in_threads=True)
        async with api.LiveKitAPI(livekit.base_url, API_KEY, API_SECRET) as client:
            async with registered(server):
                wanted = api.CreateAgentDispatchRequest(
                    room="support-1", agent_name=settings.LIVEKIT_AGENT_NAME, metadata=METADATA
                )
                await client.agent_dispatch.create_dispatch(wanted)
                assert await next_one() == "begun"
            assert await next_one() == "file whole"
            assert await next_one() == "facts written"
