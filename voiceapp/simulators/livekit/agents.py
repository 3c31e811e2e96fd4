"""Workers whose agents join by themselves, as dispatched: soon, late, never, or nobody is there to send one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

from livekit.protocol.agent import Job, JobState, JobStatus, JobType
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import DisconnectReason, ParticipantInfo

from voiceapp.simulators.livekit.faults import Faults
from voiceapp.simulators.livekit.identifiers import new_id
from voiceapp.simulators.livekit.rooms import OpenRoom, Rooms
from voiceapp.simulators.livekit.tokens import Claims
from voiceapp.simulators.livekit.twirp import Refusal

#: Names under which no worker registers, although there is one for any other name.
_NO_WORKERS = frozenset({"no-agent-wanted"})


class Agents:
    """`join_after_s`: from the dispatch until the agent is in the room. `names`: workers there are; None: for any.

    A dispatch without a name goes to workers without a name: there is one where the fault `unnamed_worker` is chosen.
    """

    def __init__(self, rooms: Rooms, *, join_after_s: float, names: frozenset[str] | None) -> None:
        self.join_after_s, self.names = join_after_s, names
        self._rooms = rooms
        self._waiting: set[asyncio.TimerHandle] = set()
        rooms.on_left.append(self._left)

    def stop(self) -> None:
        for handle in self._waiting:
            handle.cancel()

    def dispatch(self, room: OpenRoom, *, agent_name: str, metadata: str, faults: Faults) -> AgentDispatch:
        """Accepted in any case. Without a worker there is no job, now or later."""
        dispatch = AgentDispatch(id=new_id("AD"), agent_name=agent_name, room=room.name, metadata=metadata)
        dispatch.state.created_at = time.time_ns()
        room.dispatches[dispatch.id] = dispatch
        faults = room.faults | faults
        if not self._has_worker(agent_name, faults):
            return dispatch
        job = _new_job(dispatch, room)
        dispatch.state.jobs.append(job)
        if "agent_never" not in faults:
            delay_s = faults.number("agent_late") if "agent_late" in faults else self.join_after_s
            self._later(delay_s, lambda: self._join_in_time(room, dispatch.id, faults))
        return dispatch

    def withdraw(self, room: OpenRoom, dispatch_id: str) -> AgentDispatch:
        """The agent is removed, if it has come, as if its worker did not end the job by itself. Raises Refusal."""
        if dispatch_id not in room.dispatches:
            raise Refusal("not_found", "dispatch ID not found")
        dispatch = room.dispatches.pop(dispatch_id)
        dispatch.state.deleted_at = time.time_ns()
        for job in dispatch.state.jobs:
            if job.state.status == JobStatus.JS_RUNNING:
                self._rooms.leave(room, job.state.participant_identity, DisconnectReason.PARTICIPANT_REMOVED)
            job.state.status = JobStatus.JS_SUCCESS
        return dispatch

    def join(self, room: OpenRoom, dispatch_id: str) -> ParticipantInfo:
        """The agent of this dispatch joins now. Raises Refusal."""
        dispatch = room.dispatches.get(dispatch_id)
        if dispatch is None:
            raise Refusal("not_found", "dispatch ID not found")
        if not dispatch.state.jobs:
            dispatch.state.jobs.append(_new_job(dispatch, room))
        state = dispatch.state.jobs[0].state
        claims = Claims(
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

    def _has_worker(self, agent_name: str, faults: Faults) -> bool:
        if "no_worker" in faults:
            return False
        if not agent_name:
            return "unnamed_worker" in faults
        return agent_name not in _NO_WORKERS if self.names is None else agent_name in self.names

    def _join_in_time(self, room: OpenRoom, dispatch_id: str, faults: Faults) -> None:
        if self._rooms.open.get(room.name) is not room or dispatch_id not in room.dispatches:
            return
        if room.dispatches[dispatch_id].state.jobs[0].state.status != JobStatus.JS_PENDING:
            return
        identity = self.join(room, dispatch_id).identity
        if "agent_leaves" in faults:
            self._later(faults.number("agent_leaves"), lambda: self._leave_in_time(room, identity))

    def _leave_in_time(self, room: OpenRoom, identity: str) -> None:
        if identity in room.participants:
            self._rooms.leave(room, identity, DisconnectReason.CLIENT_INITIATED)

    def _left(self, room: OpenRoom, identity: str) -> None:
        """A job is over when its agent has left, however that came."""
        for dispatch in room.dispatches.values():
            for job in dispatch.state.jobs:
                if job.state.participant_identity == identity and job.state.status == JobStatus.JS_RUNNING:
                    job.state.status, job.state.ended_at = JobStatus.JS_SUCCESS, time.time_ns()

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        def do() -> None:
            self._waiting.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(delay_s, do)
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
    """`identity` or `agentIdentity` of JSON metadata, as an application may ask; else as LiveKit names agents."""
    try:
        given = json.loads(metadata)
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, dict):
        for name in ("identity", "agentIdentity"):
            if isinstance(given.get(name), str) and given[name]:
                return str(given[name])
    return f"agent-{job_id}"
