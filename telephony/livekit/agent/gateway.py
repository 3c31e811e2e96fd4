"""The one interface between an agent in a room and the database: awaited on its event loop, run in threads."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import structlog

from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import Fact
from sessions.calls.models import Call
from sessions.calls.outcomes import ToolResult
from sessions.calls.services import record_facts
from sessions.rooms.models import RoomAgent
from sessions.rooms.services.agent_briefing import RoomBriefing, brief_room_agent, caller_identities
from sessions.rooms.services.agents import agent_removed
from sessions.rooms.services.calls import end_room_call
from sessions.rooms.services.transfers import call_person
from sessions.tools.services import run_tool
from voiceapp.core.database_threads import DatabaseThreads

logger = structlog.get_logger("room_agent")

THREADS = 2
MOST_TRIES = 5
TRY_AGAIN_AFTER_S = 1.0


class RoomGateway:
    """One per job."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(THREADS, name="room-gateway")
        self._run = self._threads.run
        self._facts: list[Fact] = []
        self._writing: asyncio.Task[None] | None = None
        self._call_id: UUID | None = None

    async def brief(self, call_id: str, *, identity: str, room: str, job_id: str) -> RoomBriefing:
        """Raises JobRefused."""
        briefing = await self._run(brief_room_agent, call_id, identity=identity, room=room, job_id=job_id)
        self._call_id = briefing.call_id
        return briefing

    async def callers(self, call_id: UUID) -> frozenset[str]:
        return await self._run(caller_identities, call_id)

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

    def note(self, fact: Fact) -> None:
        """Have it written soon, in order."""
        self._facts.append(fact)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def end(self, call_id: UUID, reason: EndReason) -> None:
        """The agent ends the call."""
        await self._run(_end, call_id, reason)

    async def leave(self, identity: str) -> None:
        """The agent leaves the call on purpose, which goes on without it: none takes its place."""
        await self._run(_leave, identity)

    async def aclose(self) -> None:
        if self._writing is not None:
            await self._writing
        await asyncio.to_thread(self._threads.close)

    async def _write(self) -> None:
        while self._facts and self._call_id is not None:
            batch, self._facts = self._facts, []
            for attempt in range(1, MOST_TRIES + 1):
                try:
                    await self._run(record_facts, self._call_id, batch)
                except Exception:
                    logger.warning("facts not written", facts=len(batch), attempt=attempt, exc_info=True)
                    await asyncio.sleep(TRY_AGAIN_AFTER_S)
                else:
                    break
            else:
                logger.error("facts given up", facts=len(batch), call_id=str(self._call_id))


def _end(call_id: UUID, reason: EndReason) -> None:
    end_room_call(Call.objects.get(pk=call_id), reason=reason)


def _leave(identity: str) -> None:
    agent_removed(RoomAgent.objects.get(identity=identity))
