"""Writes the facts of a call to the database, in order and in batches, without delaying its audio."""

from __future__ import annotations

import asyncio
import contextlib
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

    def __init__(self, record: Callable[[Sequence[Fact]], Awaitable[None]]) -> None:
        self._record = record
        self._facts: list[Fact] = []
        self._news = asyncio.Event()
        self._closing = asyncio.Event()

    def add(self, fact: Fact) -> None:
        self._facts.append(fact)
        self._news.set()

    def close(self) -> None:
        """Write what is left without gathering more; `run` returns after it."""
        self._closing.set()
        self._news.set()

    async def run(self) -> None:
        while self._facts or not self._closing.is_set():
            await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._closing.wait()
            self._news.clear()
            batch, self._facts = self._facts, []
            if batch:
                await self._write(batch)

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
