"""The one interface between an agent in a room and the database: awaited on its event loop, run in threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from recordings.services.room_agent import agent_began, agent_ended, recording_of_agent
from sessions.calls.end_reasons import EndReason
from sessions.calls.fact_recorder import FactRecorder
from sessions.calls.facts import Fact
from sessions.calls.models import Call
from sessions.calls.outcomes import ToolResult
from sessions.calls.services import record_facts
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agent_briefing import RoomBriefing, brief_room_agent, caller_identities
from sessions.rooms.services.agents import agent_removed
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.hints import RoomHint, hints_after
from sessions.rooms.services.transfers import call_person, callee_is_there
from sessions.tools.services import run_tool
from voiceapp.core.database_threads import DatabaseThreads

THREADS = 2
WRITE_WITHIN_S = 5.0


class RoomGateway:
    """One per job."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(THREADS, name="room-gateway")
        self._run = self._threads.run
        self._recorder: FactRecorder | None = None
        self._recording: asyncio.Task[None] | None = None

    async def brief(self, call_id: str, *, identity: str, room: str, job_id: str) -> RoomBriefing:
        """Raises JobRefused."""
        briefing = await self._run(brief_room_agent, call_id, identity=identity, room=room, job_id=job_id)
        self._recorder = FactRecorder(lambda facts: self._run(record_facts, briefing.call_id, facts))
        self._recording = asyncio.create_task(self._recorder.run())
        return briefing

    async def recording_id(self, call_id: UUID) -> str:
        """Of the recording that the agent is to make; empty if it is not to record."""
        return await self._run(recording_of_agent, call_id)

    async def recording_began(self, recording_id: str, *, starts_at_ms: int) -> None:
        await self._run(agent_began, recording_id, starts_at_ms=starts_at_ms)

    async def recording_ended(self, recording_id: str, *, is_over: bool) -> None:
        """Its file is whole."""
        await self._run(agent_ended, recording_id, is_over=is_over)

    async def callers(self, call_id: UUID) -> frozenset[str]:
        return await self._run(caller_identities, call_id)

    async def hints_after(self, call_id: UUID, number: int) -> Sequence[RoomHint]:
        """What operators have whispered since."""
        return await self._run(hints_after, call_id, number)

    async def run_tool(
        self, call_id: UUID, *, name: str, arguments: str, tool_call_id: str, caller_turns: int, within_s: float
    ) -> ToolResult:
        """A tool that has begun runs to its end, even when its task is canceled."""
        return await self._run(
            run_tool,
            call_id,
            name=name,
            arguments=arguments,
            tool_call_id=tool_call_id,
            caller_turns=caller_turns,
            not_after=time.monotonic() + within_s,
        )

    async def call_person(self, call_id: UUID, target: str) -> str:
        """A transfer: their identity in the room, where their phone rings. Raises PersonNotCalled."""
        return await self._run(call_person, call_id, target)

    async def has_callee(self, call_id: UUID) -> bool:
        """Whether the person for whom the call is, is in its room."""
        return await self._run(callee_is_there, call_id)

    def note(self, fact: Fact) -> None:
        """Have it written soon, in order."""
        if self._recorder is not None:
            self._recorder.add(fact)

    async def write_facts(self) -> None:
        """All that were noted, before the end of the call: a reader who sees the end sees everything."""
        if self._recorder is None or self._recording is None:
            return
        self._recorder.close()
        await asyncio.wait({self._recording}, timeout=WRITE_WITHIN_S)
        self._recording.cancel()

    async def end(self, call_id: UUID, reason: EndReason) -> None:
        """The agent ends the call."""
        await self._run(_end, call_id, reason)

    async def leave(self, identity: str) -> None:
        """The agent leaves the call on purpose, which goes on without it: none takes its place."""
        await self._run(_leave, identity)

    async def aclose(self) -> None:
        await self.write_facts()
        await asyncio.to_thread(self._threads.close)


def _end(call_id: UUID, reason: EndReason) -> None:
    end_room_call(Call.objects.get(pk=call_id), reason=reason)


def _leave(identity: str) -> None:
    agent_removed(RoomAgent.objects.get(identity=identity))
