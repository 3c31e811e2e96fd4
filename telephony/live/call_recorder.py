"""Records one call: its facts while it is live, then its follow-up and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog

from sessions.calls.fact_recorder import FactRecorder
from sessions.calls.facts import Fact
from telephony.bridge.core.actions import CloseCall
from telephony.twilio.transfers.resumption import Resumption

from .gateway import CallGateway

logger = structlog.get_logger("call_recorder")

WRITE_WITHIN_S = 5.0
FINISH_TRIES = 3


class CallRecorder:
    """Opened with the call, closed once. The call's audio never waits for it."""

    __slots__ = (
        "_call_id",
        "_gateway",
        "_on_written",
        "_recorder",
        "_recording",
        "_stream_id",
        "resumption",
    )

    def __init__(
        self, gateway: CallGateway, *, call_id: UUID, stream_id: UUID | None, on_written: Callable[[], None]
    ) -> None:
        """Without a `stream_id` nothing follows the call: no carrier asks for it."""
        self._gateway = gateway
        self._call_id = call_id
        self._stream_id = stream_id
        self.resumption: Resumption | None = None
        self._on_written = on_written
        self._recorder = FactRecorder(self._record)
        self._recording = asyncio.create_task(self._recorder.run())

    def note(self, fact: Fact) -> None:
        self._recorder.add(self.placed(fact))

    def placed(self, fact: Fact) -> Fact:
        """As it is written: in a call that comes back from a transfer, on the clock of its first stream."""
        return fact if self.resumption is None else self.resumption.placed(fact)

    async def close(self, ending: CloseCall) -> None:
        """Write the follow-up, the remaining facts, then the end: a reader who sees the end sees everything."""
        if self._stream_id is not None:
            await self._try("follow_up", self._gateway.set_follow_up(self._stream_id, ending.follow_up))
        self._recorder.close()
        await asyncio.wait({self._recording}, timeout=WRITE_WITHIN_S)
        for _ in range(FINISH_TRIES):
            if await self._try("finish", self._gateway.finish(self._call_id, ending.reason)):
                break
        self._recording.cancel()

    async def _record(self, facts: Sequence[Fact]) -> None:
        await self._gateway.record(self._call_id, facts)
        self._on_written()

    async def _try(self, step: str, work: Awaitable[object]) -> bool:
        """If every try fails, the reaper and the carrier's callbacks end the call."""
        try:
            await asyncio.wait_for(work, WRITE_WITHIN_S)
        except Exception:
            logger.warning("not written", call_id=str(self._call_id), step=step, exc_info=True)
            return False
        return True
