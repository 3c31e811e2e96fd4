"""Writes the facts of a call to the database, in order and in batches, without delaying its audio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from django.db import DatabaseError

from sessions.calls.facts import Fact

logger = structlog.get_logger("fact_recorder")

# One fact costs nearly what twenty do, and an answer, its turn, usage and events come within a second.
GATHER_S = 1.0
TRY_AGAIN_AFTER_S = 1.0
MOST_TRIES = 5


class FactRecorder:
    """One per call. Facts wait here while the database is slow; the call does not."""

    __slots__ = (
        "_facts",
        "_is_closing",
        "_record",
        "_signal",
        "_waits_for_facts",
    )

    def __init__(self, record: Callable[[Sequence[Fact]], Awaitable[None]]) -> None:
        self._record = record
        self._facts: list[Fact] = []
        self._is_closing = False
        # What `run` waits for. Two events in its place would take 1.5 KB of each call.
        self._signal: asyncio.Future[None] | None = None
        self._waits_for_facts = False

    def add(self, fact: Fact) -> None:
        self._facts.append(fact)
        if self._waits_for_facts:
            self._wake()

    def close(self) -> None:
        """Write what is left without gathering more; `run` returns after it."""
        self._is_closing = True
        self._wake()

    async def run(self) -> None:
        while self._facts or not self._is_closing:
            if not self._facts:
                self._waits_for_facts = True
                await self._next_signal()
                self._waits_for_facts = False
            if not self._is_closing:
                await asyncio.wait({self._next_signal()}, timeout=GATHER_S)
            batch, self._facts = self._facts, []
            if batch:
                await self._write(batch)

    def _next_signal(self) -> asyncio.Future[None]:
        self._signal = asyncio.get_running_loop().create_future()
        return self._signal

    def _wake(self) -> None:
        if self._signal is not None and not self._signal.done():
            self._signal.set_result(None)

    async def _write(self, batch: Sequence[Fact]) -> None:
        for attempt in range(1, MOST_TRIES + 1):
            try:
                await self._record(batch)
            except DatabaseError:
                logger.warning("facts not written", facts=len(batch), attempt=attempt, exc_info=True)
                await asyncio.sleep(TRY_AGAIN_AFTER_S)
            except Exception:
                logger.exception("facts not understood", facts=len(batch))
                return
            else:
                return
        logger.error("facts given up", facts=len(batch))
