"""A worker's socket: registration, offers, refusals, terminations, and who gets a job; the same on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from livekit import api
from livekit.protocol.agent import Job, JobStatus, ServerMessage, WorkerMessage, WorkerStatus
from livekit.protocol.models import ParticipantInfo

from voiceapp.simulators.livekit.tests.media import participant, until
from voiceapp.simulators.livekit.tests.running import RunningLiveKit, receiving
from voiceapp.simulators.livekit.tests.sides import Side, Simulator

pytestmark = pytest.mark.asyncio

AGENT = "voice-agent"
# A real server lists a job, and ends it, up to five seconds late: it first asks all nodes for their workers, once a
# minute and after each registration.
WITHIN_S = 10


def worker_token(side: Side, *, is_agent: bool = True) -> str:
    return api.AccessToken(side.api_key, side.api_secret).with_grants(api.VideoGrants(agent=is_agent)).to_jwt()


class Worker:
    """A worker by the protocol alone. `offer()` waits for the next availability request."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, **message: object) -> None:
        await self._socket.send_bytes(WorkerMessage(**message).SerializeToString())  # type: ignore[arg-type]  # a oneof

    async def receive(self, kind: str) -> ServerMessage:
        message = ServerMessage.FromString(await self._socket.receive_bytes(timeout=WITHIN_S))
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
async def worker(side: Side, agent_name: str = AGENT) -> AsyncIterator[Worker]:
    headers = {"Authorization": f"Bearer {worker_token(side)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{side.url}/agent", headers=headers) as socket,
    ):
        one = Worker(socket)
        await one.register(agent_name)
        yield one


@contextlib.asynccontextmanager
async def admin(side: Side) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(side.url, side.api_key, side.api_secret) as client:
        yield client


def jobs_of(listed: list[api.AgentDispatch]) -> list[Job]:
    """Of all dispatches: the real server lists them in any order."""
    return [job for each in listed for job in each.state.jobs]


async def dispatches(client: api.LiveKitAPI, room: str, *, jobs: int = 1) -> list[api.AgentDispatch]:
    """As soon as there are so many jobs."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            listed = list(await client.agent_dispatch.list_dispatch(room))
            if sum(len(each.state.jobs) for each in listed) == jobs:
                return listed
            await asyncio.sleep(0.01)


async def test_a_worker_needs_a_token_for_workers(media_side: Side) -> None:
    async with aiohttp.ClientSession() as session:
        for token in ("", "a.b.c", worker_token(media_side, is_agent=False)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{media_side.url}/agent", headers={"Authorization": f"Bearer {token}"})
            assert refused.value.status == 401


async def test_faults_of_the_address_are_for_workers_too(livekit: RunningLiveKit) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{livekit.server.fault_url('away')}/agent")
        assert refused.value.status == 503


async def test_a_job_is_offered_and_assigned_with_a_token_for_its_room(media_side: Side, room: str) -> None:
    async with worker(media_side) as one, admin(media_side) as client:
        created = await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=room, agent_name=AGENT, metadata='{"callId": "1"}')
        )
        offered = (await one.receive("availability")).availability.job
        assert (offered.dispatch_id, offered.room.name, offered.metadata) == (created.id, room, created.metadata)
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
        claims = jwt.decode(assignment.token, media_side.api_secret, algorithms=["HS256"])
        assert (claims["sub"], claims["kind"], claims["video"]["room"]) == ("ai-agent-7", "agent", room)
        assert claims["attributes"] == {"callId": "1", "lk.agent_name": AGENT}
        (job,) = jobs_of(await dispatches(client, room))
        assert (job.id, job.state.status, job.state.participant_identity) == (
            offered.id, JobStatus.JS_RUNNING, "ai-agent-7",
        )  # fmt: skip
        # No simulated agent joins beside it.
        assert (await client.room.list_participants(api.ListParticipantsRequest(room=room))).participants == []


@pytest.mark.parametrize("by", ["create_room", "token"])
async def test_a_new_room_is_dispatched_by_its_request_or_by_the_token_that_opens_it(
    media_side: Side, room: str, by: str
) -> None:
    agents = [api.RoomAgentDispatch(agent_name=AGENT, metadata="m")]
    async with worker(media_side) as one, admin(media_side) as client, contextlib.AsyncExitStack() as stack:
        if by == "create_room":
            await client.room.create_room(api.CreateRoomRequest(name=room, agents=agents))
        else:
            token = (
                api.AccessToken(media_side.api_key, media_side.api_secret)
                .with_identity("alice")
                .with_grants(api.VideoGrants(room_join=True, room=room))
                .with_room_config(api.RoomConfiguration(agents=agents))
            )
            await stack.enter_async_context(participant(media_side, token.to_jwt()))
        assert (await one.receive("availability")).availability.job.metadata == "m"


async def test_a_worker_that_refuses_is_followed_by_the_next_one_and_a_busy_one_is_not_asked(
    media_side: Side, room: str
) -> None:
    async with worker(media_side) as busy, worker(media_side) as one, worker(media_side) as other:
        await busy.send(update_worker={"status": WorkerStatus.WS_FULL, "load": 0.9})
        await busy.send(ping={"timestamp": 1})
        assert (await busy.receive("pong")).pong.last_timestamp == 1
        async with admin(media_side) as client:
            await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room, agent_name=AGENT))
            asked = [asyncio.create_task(each.answer(available=False)) for each in (one, other)]
            first, second = await asyncio.gather(*asked)
            assert first == second
            # Beside ours stands the one that every room has, for workers without a name.
            assert {each.agent_name for each in await dispatches(client, room, jobs=0)} == {"", AGENT}


async def test_an_offer_to_a_worker_that_goes_away_is_made_to_the_next_one(media_side: Side, room: str) -> None:
    async with admin(media_side) as client, contextlib.AsyncExitStack() as stack:
        async with worker(media_side) as goes:
            await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room, agent_name=AGENT))
            offered = (await goes.receive("availability")).availability.job
            stays = await stack.enter_async_context(worker(media_side))
        assert await stays.answer() == offered.id


async def test_a_deleted_dispatch_ends_its_job(media_side: Side, room: str) -> None:
    async with worker(media_side) as one, admin(media_side) as client:
        created = await client.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(room=room, agent_name=AGENT)
        )
        job_id = await one.answer()
        await one.receive("assignment")
        await dispatches(client, room)
        await client.agent_dispatch.delete_dispatch(created.id, room)
        assert (await one.receive("termination")).termination.job_id == job_id


async def test_a_job_ends_when_its_agent_has_left_the_room(media_side: Side, room: str) -> None:
    async with worker(media_side) as one, admin(media_side) as client:
        await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room, agent_name=AGENT))
        job_id = await one.answer()
        token = (await one.receive("assignment")).assignment.token
        await dispatches(client, room)
        async with participant(media_side, token):
            (agent,) = (await client.room.list_participants(api.ListParticipantsRequest(room=room))).participants
            assert (agent.identity, agent.kind) == ("ai-agent-7", ParticipantInfo.Kind.AGENT)
        assert (await one.receive("termination")).termination.job_id == job_id
        # The dispatch does not show it.
        assert [job.state.status for job in jobs_of(await dispatches(client, room))] == [JobStatus.JS_RUNNING]


async def test_without_a_registered_worker_of_that_name_a_simulated_agent_joins(
    livekit: RunningLiveKit, room: str
) -> None:
    with receiving() as receiver:
        side = Simulator(livekit, receiver)
        async with worker(side, "another"), admin(side) as client:
            await client.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room, agent_name=AGENT))
            await until(lambda: livekit.do(lambda backend: len(backend.rooms.open[room].participants)) == 1)


@pytest.mark.parametrize("garbage", [b"\xff" * 40, "text", b""])
async def test_garbage_closes_the_socket(media_side: Side, garbage: bytes | str) -> None:
    headers = {"Authorization": f"Bearer {worker_token(media_side)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{media_side.url}/agent", headers=headers) as socket,
    ):
        await (socket.send_str(garbage) if isinstance(garbage, str) else socket.send_bytes(garbage))
        assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
