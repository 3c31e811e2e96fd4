"""A worker's socket: registration, offers, refusals, terminations, and who gets a job."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from livekit import api
from livekit.protocol.agent import JobStatus, ServerMessage, WorkerMessage, WorkerStatus

from voiceapp.simulators.livekit import LiveKitSimulator
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

pytestmark = pytest.mark.asyncio

ROOM, AGENT = "support-1", "voice-agent"


@contextlib.asynccontextmanager
async def simulator(**options: object) -> AsyncIterator[LiveKitSimulator]:
    quick = {"api_key": API_KEY, "api_secret": API_SECRET, "agent_after_s": 0.01}
    async with LiveKitSimulator(**(quick | options)) as running:  # type: ignore[arg-type]  # options of the server
        yield running


def worker_token(*, is_agent: bool = True) -> str:
    return api.AccessToken(API_KEY, API_SECRET).with_grants(api.VideoGrants(agent=is_agent)).to_jwt()


class Worker:
    """A worker by the protocol alone. `offer()` waits for the next availability request."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, **message: object) -> None:
        await self._socket.send_bytes(WorkerMessage(**message).SerializeToString())  # type: ignore[arg-type]  # a oneof

    async def receive(self, kind: str) -> ServerMessage:
        message = ServerMessage.FromString(await self._socket.receive_bytes(timeout=5))
        assert message.WhichOneof("message") == kind
        return message

    async def register(self, agent_name: str = AGENT) -> str:
        await self.send(register={"type": "JT_ROOM", "agent_name": agent_name})
        return (await self.receive("register")).register.worker_id

    async def answer(self, *, available: bool = True, identity: str = "") -> str:
        """The id of the job that was offered."""
        job_id = (await self.receive("availability")).availability.job.id
        await self.send(
            availability={"job_id": job_id, "available": available, "participant_identity": identity or "ai-agent-7"}
        )
        return job_id


@contextlib.asynccontextmanager
async def worker(livekit: LiveKitSimulator, agent_name: str = AGENT) -> AsyncIterator[Worker]:
    headers = {"Authorization": f"Bearer {worker_token()}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{livekit.base_url}/agent", headers=headers) as socket,
    ):
        one = Worker(socket)
        await one.register(agent_name)
        yield one


@contextlib.asynccontextmanager
async def admin(livekit: LiveKitSimulator) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(livekit.base_url, API_KEY, API_SECRET) as client:
        yield client


async def dispatches(client: api.LiveKitAPI, *, jobs: int = 1) -> list[api.AgentDispatch]:
    """As soon as there are so many jobs."""
    for _ in itertools.repeat(None, 200):
        listed = await client.agent_dispatch.list_dispatch(ROOM)
        if sum(len(each.state.jobs) for each in listed) == jobs:
            return listed
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {jobs} jobs: {listed}")


async def test_a_worker_needs_a_token_for_workers() -> None:
    async with simulator() as livekit, aiohttp.ClientSession() as session:
        for token in ("", "a.b.c", worker_token(is_agent=False)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{livekit.base_url}/agent", headers={"Authorization": f"Bearer {token}"})
            assert refused.value.status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{livekit.fault_url('away')}/agent")
        assert refused.value.status == 503


async def test_a_job_is_offered_and_assigned_with_a_token_for_its_room() -> None:
    async with simulator() as livekit, worker(livekit) as one, admin(livekit) as client:
        created = await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT, metadata='{"callId": "1"}')
        )
        offered = (await one.receive("availability")).availability.job
        assert (offered.dispatch_id, offered.room.name, offered.metadata) == (created.id, ROOM, created.metadata)
        await one.send(
            availability={
                "job_id": offered.id,
                "available": True,
                "participant_identity": "ai-agent-7",
                "participant_attributes": {"callId": "1"},
            }
        )
        assignment = (await one.receive("assignment")).assignment
        assert assignment.job.id == offered.id
        claims = jwt.decode(assignment.token, API_SECRET, algorithms=["HS256"])
        assert (claims["sub"], claims["kind"], claims["video"]["room"]) == ("ai-agent-7", "agent", ROOM)
        assert claims["attributes"] == {"callId": "1", "lk.agent.name": AGENT}
        (job,) = (await dispatches(client))[-1].state.jobs
        assert (job.id, job.state.status, job.state.participant_identity) == (
            offered.id, JobStatus.JS_RUNNING, "ai-agent-7",
        )  # fmt: skip
        # No simulated agent joins beside it.
        assert (await client.room.list_participants(api.ListParticipantsRequest(room=ROOM))).participants == []


@pytest.mark.parametrize("by", ["create_room", "token"])
async def test_a_new_room_is_dispatched_by_its_request_or_by_the_token_that_opens_it(by: str) -> None:
    agents = [api.RoomAgentDispatch(agent_name=AGENT, metadata="m")]
    async with simulator() as livekit, worker(livekit) as one, admin(livekit) as client:
        if by == "create_room":
            await client.room.create_room(api.CreateRoomRequest(name=ROOM, agents=agents))
        else:
            token = (
                api.AccessToken(API_KEY, API_SECRET)
                .with_identity("alice")
                .with_grants(api.VideoGrants(room_join=True, room=ROOM))
                .with_room_config(api.RoomConfiguration(agents=agents))
            )
            async with aiohttp.ClientSession() as session:
                await session.post(f"{livekit.base_url}/local/join", json={"token": token.to_jwt()})
        assert (await one.receive("availability")).availability.job.metadata == "m"


async def test_a_worker_that_refuses_is_followed_by_the_next_one_and_a_busy_one_is_not_asked() -> None:
    async with simulator() as livekit, worker(livekit) as busy, worker(livekit) as one, worker(livekit) as other:
        await busy.send(update_worker={"status": WorkerStatus.WS_FULL, "load": 0.9})
        await busy.send(ping={"timestamp": 1})
        assert (await busy.receive("pong")).pong.last_timestamp == 1
        async with admin(livekit) as client:
            await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT))
            asked = [asyncio.create_task(each.answer(available=False)) for each in (one, other)]
            first, second = await asyncio.gather(*asked)
            assert first == second
            assert (await dispatches(client, jobs=0))[0].agent_name == ""


async def test_an_offer_to_a_worker_that_goes_away_is_made_to_the_next_one() -> None:
    async with simulator() as livekit, admin(livekit) as client, contextlib.AsyncExitStack() as stack:
        async with worker(livekit) as goes:
            await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT))
            offered = (await goes.receive("availability")).availability.job
            stays = await stack.enter_async_context(worker(livekit))
        assert await stays.answer() == offered.id


async def test_a_deleted_dispatch_ends_its_job() -> None:
    async with simulator() as livekit, worker(livekit) as one, admin(livekit) as client:
        created = await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT)
        )
        job_id = await one.answer()
        await one.receive("assignment")
        await dispatches(client)
        await client.agent_dispatch.delete_dispatch(created.id, ROOM)
        assert (await one.receive("termination")).termination.job_id == job_id


async def test_a_job_ends_when_its_agent_has_left_the_room() -> None:
    async with simulator() as livekit, worker(livekit) as one, admin(livekit) as client:
        await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT))
        job_id = await one.answer()
        token = (await one.receive("assignment")).assignment.token
        async with aiohttp.ClientSession() as session:
            joined = await session.post(f"{livekit.base_url}/local/join", json={"token": token})
            assert (await joined.json())["kind"] == "AGENT"
        await client.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        assert (await one.receive("termination")).termination.job_id == job_id


async def test_without_a_registered_worker_of_that_name_a_simulated_agent_joins() -> None:
    async with simulator() as livekit, worker(livekit, "another") as _, admin(livekit) as client:
        await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=ROOM, agent_name=AGENT))
        for _ in itertools.repeat(None, 200):
            if (await client.room.list_participants(api.ListParticipantsRequest(room=ROOM))).participants:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("no agent joined")


@pytest.mark.parametrize("garbage", [b"\xff" * 40, "text", b""])
async def test_garbage_closes_the_socket(garbage: bytes | str) -> None:
    headers = {"Authorization": f"Bearer {worker_token()}"}
    async with (
        simulator() as livekit,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{livekit.base_url}/agent", headers=headers) as socket,
    ):
        await (socket.send_str(garbage) if isinstance(garbage, str) else socket.send_bytes(garbage))
        assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
