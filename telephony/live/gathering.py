"""Requests that come while one is under way are done together, by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """The more come at once, the less each costs; and none gets what was read before it came.

    `work` returns a result or an exception for each of its keys.
    """

    def __init__(self, work: Callable[[Collection[K]], Awaitable[Mapping[K, V | Exception]]]) -> None:
        self._work = work
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._working: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """Each key at most once at a time."""
        result: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting[key] = result
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, {}
            results: Mapping[K, V | Exception]
            try:
                results = await self._work(list(taken))
            except Exception as fault:  # noqa: BLE001 - raised where it was requested
                results = dict.fromkeys(taken, fault)
            for key, future in taken.items():
                if future.done():
                    continue  # nobody waits any more
                if isinstance(result := results[key], Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
