"""Threads for work on the database: a bounded number, each with a connection that it keeps.

They are threads of this process, or of the database process beside it (database_process.py).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar

from django.db import OperationalError, connections

P = ParamSpec("P")
T = TypeVar("T")

# A connection that was idle for longer may have been closed by the server, or by a firewall between.
TEST_AFTER_IDLE_S = 5.0


class ProcessLost(OperationalError):
    """The database process ended before it answered: the work may be done, or not."""


class Elsewhere(Protocol):
    """Another process with threads of the same names."""

    async def run(self, name: str, count: int, work: partial[Any]) -> Any:
        """The result of `work`, whose function, arguments and result can be pickled. Raises ProcessLost."""


class DatabaseThreads:
    """Opening a connection costs more than most of the work: PostgreSQL starts a process, SQLite reads the schema."""

    elsewhere: ClassVar[Elsewhere | None] = None  # of all threads

    def __init__(self, count: int, *, name: str) -> None:
        self._count = count
        self._name = name
        self._executor: ThreadPoolExecutor | None = None
        self._last_used = threading.local()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, done in one of the threads. Raises ProcessLost."""
        if self.elsewhere is not None:
            result: T = await self.elsewhere.run(self._name, self._count, partial(work, *args, **kwargs))
            return result
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self._with_connection, work, *args, **kwargs))

    async def run_again(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for work that changes nothing when it is repeated: once more after ProcessLost."""
        try:
            return await self.run(work, *args, **kwargs)
        except ProcessLost:
            return await self.run(work, *args, **kwargs)

    def close(self) -> None:
        """Close every thread's connections, then end the threads. New work starts new ones."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        barrier = threading.Barrier(self._count)

        def leave() -> None:
            barrier.wait(timeout=10)
            connections.close_all()

        for _ in range(self._count):
            executor.submit(leave)
        executor.shutdown(wait=True)

    def _with_connection(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        was_idle = time.monotonic() - getattr(self._last_used, "at", 0.0) > TEST_AFTER_IDLE_S
        for each in connections.all(initialized_only=True):
            each.close_if_unusable_or_obsolete()
            if was_idle and each.connection is not None and not each.is_usable():
                each.close()
        try:
            return work(*args, **kwargs)
        finally:
            for each in connections.all(initialized_only=True):
                each.close_at = None  # CONN_MAX_AGE is for threads that serve a single request
            self._last_used.at = time.monotonic()
