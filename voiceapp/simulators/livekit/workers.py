"""Who takes a dispatch: a worker that registered, else a simulated one, whose agent joins soon, late, or never."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

from livekit.protocol.agent import Job, JobState, JobStatus, JobType
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import DisconnectReason, ParticipantInfo

from voiceapp.simulators.livekit.faults import LiveKitFaults
from voiceapp.simulators.livekit.ids import new_id
from voiceapp.simulators.livekit.registered_jobs import RegisteredJobs
from voiceapp.simulators.livekit.registered_workers import RegisteredWorkers
from voiceapp.simulators.livekit.room import OpenRoom
from voiceapp.simulators.livekit.rooms import Rooms
from voiceapp.simulators.livekit.tokens import TokenClaims
from voiceapp.simulators.livekit.twirp import TwirpError

#: Names under which no worker registers, although there is one for any other name.
_NO_WORKERS = frozenset({"no-agent-wanted"})


class AgentWorkers:
    """`registered`: the workers at /agent; the others are simulated.

    `join_after_s`: from the dispatch until a simulated agent joins. `names`: of the simulated workers; None: one for
    any name. A dispatch without a name goes to a worker without a name, which the fault `unnamed_worker` adds.
    """

    def __init__(
        self, rooms: Rooms, registered: RegisteredWorkers, *, join_after_s: float, names: frozenset[str] | None
    ) -> None:
        self.join_after_s, self.names = join_after_s, names
        self.registered = registered
        self._jobs = RegisteredJobs(rooms, registered)
        self._rooms = rooms
        self._waiting: set[asyncio.TimerHandle] = set()
        rooms.on_left.append(self._end_job)

    async def close(self) -> None:
        for handle in self._waiting:
            handle.cancel()
        await self._jobs.close()

    def dispatch(self, room: OpenRoom, *, agent_name: str, metadata: str, faults: LiveKitFaults) -> AgentDispatch:
        """A dispatch is always accepted. Without a worker it never gets a job."""
        dispatch = AgentDispatch(id=new_id("AD"), agent_name=agent_name, room=room.name, metadata=metadata)
        dispatch.state.created_at = time.time_ns()
        room.dispatches[dispatch.id] = dispatch
        faults = room.faults | faults
        if "no_worker" not in faults and self.registered.has(agent_name):
            self._jobs.launch(room, dispatch)
            return dispatch
        if not self._has_worker(agent_name, faults):
            return dispatch
        job = _new_job(dispatch, room)
        dispatch.state.jobs.append(job)
        if "agent_never" not in faults:
            delay_s = faults.number("agent_late") if "agent_late" in faults else self.join_after_s
            self._call_later(delay_s, lambda: self._join_if_pending(room, dispatch.id, faults))
        return dispatch

    def delete_dispatch(self, room: OpenRoom, dispatch_id: str) -> AgentDispatch:
        """A simulated agent that has joined is removed, as if its worker did not end the job. Raises TwirpError."""
        if dispatch_id not in room.dispatches:
            raise TwirpError("not_found", "dispatch ID not found")
        dispatch = room.dispatches.pop(dispatch_id)
        dispatch.state.deleted_at = time.time_ns()
        self._jobs.delete(room, dispatch)
        for job in dispatch.state.jobs:
            if job.state.worker_id:
                continue
            if job.state.status == JobStatus.JS_RUNNING:
                self._rooms.leave(room, job.state.participant_identity, DisconnectReason.PARTICIPANT_REMOVED)
            job.state.status = JobStatus.JS_SUCCESS
        return dispatch

    def join(self, room: OpenRoom, dispatch_id: str) -> ParticipantInfo:
        """The agent of this dispatch joins now. Raises TwirpError."""
        dispatch = room.dispatches.get(dispatch_id)
        if dispatch is None:
            raise TwirpError("not_found", "dispatch ID not found")
        if not dispatch.state.jobs:
            dispatch.state.jobs.append(_new_job(dispatch, room))
        state = dispatch.state.jobs[0].state
        claims = TokenClaims(
            identity=state.participant_identity,
            name=dispatch.agent_name,
            kind="agent",
            attributes={"lk.agent.name": dispatch.agent_name, "lk.agent.state": "listening"},
            video={"room": room.name, "roomJoin": True, "agent": True},
        )
        participant = self._rooms.join(room, claims, ParticipantInfo.Kind.AGENT)
        state.status, state.started_at, state.updated_at = JobStatus.JS_RUNNING, time.time_ns(), time.time_ns()
        self._rooms.publish(room, claims.identity, "microphone")
        return participant

    def _has_worker(self, agent_name: str, faults: LiveKitFaults) -> bool:
        if "no_worker" in faults:
            return False
        if not agent_name:
            return "unnamed_worker" in faults
        return agent_name not in _NO_WORKERS if self.names is None else agent_name in self.names

    def _join_if_pending(self, room: OpenRoom, dispatch_id: str, faults: LiveKitFaults) -> None:
        if self._rooms.open.get(room.name) is not room or dispatch_id not in room.dispatches:
            return
        if room.dispatches[dispatch_id].state.jobs[0].state.status != JobStatus.JS_PENDING:
            return
        identity = self.join(room, dispatch_id).identity
        if "agent_leaves" in faults:
            self._call_later(faults.number("agent_leaves"), lambda: self._leave_if_present(room, identity))

    def _leave_if_present(self, room: OpenRoom, identity: str) -> None:
        if identity in room.participants:
            self._rooms.leave(room, identity, DisconnectReason.CLIENT_INITIATED)

    def _end_job(self, room: OpenRoom, participant: ParticipantInfo) -> None:
        """A simulated job ends when its agent has left, for whatever reason."""
        for dispatch in room.dispatches.values():
            for job in dispatch.state.jobs:
                is_its = job.state.participant_identity == participant.identity and not job.state.worker_id
                if is_its and job.state.status == JobStatus.JS_RUNNING:
                    job.state.status, job.state.ended_at = JobStatus.JS_SUCCESS, time.time_ns()

    def _call_later(self, delay_s: float, act: Callable[[], None]) -> None:
        def run() -> None:
            self._waiting.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(delay_s, run)
        self._waiting.add(handle)


def _new_job(dispatch: AgentDispatch, room: OpenRoom) -> Job:
    job_id = new_id("AJ")
    return Job(
        id=job_id,
        dispatch_id=dispatch.id,
        type=JobType.JT_ROOM,
        room=room.info,
        metadata=dispatch.metadata,
        agent_name=dispatch.agent_name,
        state=JobState(status=JobStatus.JS_PENDING, participant_identity=_identity_in(dispatch.metadata, job_id)),
    )


def _identity_in(metadata: str, job_id: str) -> str:
    """`identity` or `agentIdentity` of JSON metadata, otherwise LiveKit's name of an agent."""
    try:
        given = json.loads(metadata)
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, dict):
        for name in ("identity", "agentIdentity"):
            if isinstance(given.get(name), str) and given[name]:
                return str(given[name])
    return f"agent-{job_id}"
