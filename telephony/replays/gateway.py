"""The gateway of a replay: the call is in no table, its tools run dry, and its facts are kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from sessions.calls.briefing import Briefing
from sessions.calls.commands import Command
from sessions.calls.end_reasons import EndReason
from sessions.calls.facts import Fact
from sessions.calls.outcomes import ToolResult
from sessions.tools.dry_run import DryRun
from telephony.live.gateway import CallGateway

# Given how many utterances were said; whether the replay goes on.
KeepSaid = Callable[[int], bool]


class ReplayGateway(CallGateway):
    """Of one call."""

    def __init__(self, briefing: Briefing, dry_run: DryRun, keep_said: KeepSaid) -> None:
        super().__init__(threads=1)
        self.facts: list[Fact] = []
        self.reason: EndReason | None = None
        self._briefing = briefing
        self.dry_run = dry_run
        self._keep_said = keep_said

    async def keep_said(self, count: int) -> bool:
        return await self._run(self._keep_said, count)

    async def brief(self, call_id: UUID) -> Briefing:
        return self._briefing

    async def run_tool(
        self,
        call_id: UUID,
        *,
        name: str,
        arguments: str,
        tool_call_id: str,
        caller_turns: int,
        within_s: float | None = None,
    ) -> ToolResult:
        use = await self._run(self.dry_run.run, name, arguments, caller_turns=caller_turns)
        return use.result

    async def record(self, call_id: UUID, facts: Sequence[Fact]) -> None:
        self.facts += facts

    async def renew_leases(self, call_ids: Iterable[UUID]) -> set[UUID]:
        return set(call_ids)

    async def waiting_commands(self) -> list[tuple[int, UUID]]:
        return []

    async def take_commands(self, numbers: Collection[int]) -> Sequence[Command]:
        return ()

    async def finish(self, call_id: UUID, reason: EndReason) -> bool:
        self.reason = reason
        return True
