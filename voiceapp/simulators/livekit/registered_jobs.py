"""The jobs of registered workers, from a dispatch until their agents have left the room."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from livekit.protocol.agent import Job, JobType
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import DisconnectReason, ParticipantInfo

from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.registered_workers import RegisteredWorkers
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms

_LEAVE_WITHIN_S = 3.0


class RegisteredJobs:
    """As in livekit-server 1.13.5, a job is in its dispatch once a worker has taken it, and is never offered again."""

    def __init__(self, rooms: Rooms, workers: RegisteredWorkers) -> None:
        self._rooms, self._workers = rooms, workers
        self._jobs: dict[tuple[str, str], str] = {}
        self._left: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        rooms.on_left.append(self._end)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def launch(self, room: OpenRoom, dispatch: AgentDispatch) -> None:
        self._start(self._assign(room, dispatch))

    def delete(self, room: OpenRoom, dispatch: AgentDispatch) -> None:
        """The worker gets the request to end the job; an agent that has not left after 3 s is removed."""
        for job in dispatch.state.jobs:
            self._start(self._terminate(room, job))

    async def _assign(self, room: OpenRoom, dispatch: AgentDispatch) -> None:
        job = Job(
            id=new_id("AJ"),
            dispatch_id=dispatch.id,
            type=JobType.JT_ROOM,
            room=room.info,
            metadata=dispatch.metadata,
            agent_name=dispatch.agent_name,
        )
        if not await self._workers.assign(job):
            return
        dispatch.state.jobs.append(job)
        if job.state.participant_identity:
            self._jobs[room.info.sid, job.state.participant_identity] = job.id
        if dispatch.id not in room.dispatches:
            await self._terminate(room, job)

    async def _terminate(self, room: OpenRoom, job: Job) -> None:
        identity = job.state.participant_identity
        if not self._workers.terminate(job.id) or identity not in room.participants:
            return
        left = self._left[job.id] = asyncio.Event()
        try:
            await asyncio.wait_for(left.wait(), _LEAVE_WITHIN_S)
        except TimeoutError:
            self._rooms.leave(room, identity, DisconnectReason.PARTICIPANT_REMOVED)
        finally:
            del self._left[job.id]

    def _end(self, room: OpenRoom, participant: ParticipantInfo) -> None:
        """The agent has left, for whatever reason: its job ends."""
        job_id = self._jobs.pop((room.info.sid, participant.identity), "")
        if job_id in self._left:
            self._left[job_id].set()
        self._workers.terminate(job_id)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
