"""Follows topics on an event loop: all followers of a process share one watch of Redis or of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import DatabaseError
from redis import RedisError

from voiceapp.core.database_threads import DatabaseThreads
from voiceapp.core.serving import serving

from .redis_channel import announcements
from .versions import read_versions

log = structlog.get_logger(__name__)

# One query per process in this time, and only while somebody follows.
LOOK_EVERY_S = 0.15
RETRY_AFTER_S = 1.0

# Their own, so that pages which look delay no phone call.
feed_threads = DatabaseThreads(2, name="feeds")


class Changes:
    """What one follower has not seen yet: at first, everything."""

    def __init__(self, topics: Collection[str]) -> None:
        self.topics = frozenset(topics)
        self.is_over = False  # the process stops: nothing more will come
        self._changed = set(self.topics)
        self._news = asyncio.Event()
        self._news.set()

    def note(self, topics: Collection[str]) -> None:
        if mine := self.topics.intersection(topics):
            self._changed |= mine
            self._news.set()

    def end(self) -> None:
        self.is_over = True
        self._news.set()

    async def next(self, *, within_s: float | None = None) -> frozenset[str]:
        """The topics that have changed since the last time; none when `within_s` passed, or when it `is_over`."""
        try:
            async with asyncio.timeout(within_s):
                await self._news.wait()
        except TimeoutError:
            return frozenset()
        changed, self._changed = frozenset(self._changed), set()
        if not self.is_over:
            self._news.clear()
        return frozenset() if self.is_over else changed

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> frozenset[str]:
        if changed := await self.next():
            return changed
        raise StopAsyncIteration


@asynccontextmanager
async def follow_changes(topics: Collection[str]) -> AsyncIterator[Changes]:
    """`async for changed in changes`: the set of topics that changed, joined while nobody looked; at once all of them.

    It ends when the process drains.
    """
    hub = hub_here()
    changes = Changes(topics)
    hub.join(changes)
    try:
        yield changes
    finally:
        hub.leave(changes)


@dataclass(eq=False, slots=True)
class SharedRead:
    """One read for all followers who were notified before it began."""

    began_at: int
    result: asyncio.Task[Any]


@dataclass(eq=False)
class Hub:
    """The followers of one event loop. Its methods run on that loop."""

    followers: set[Changes] = field(default_factory=set)
    reads: dict[str, SharedRead] = field(default_factory=dict)
    sequence: int = 0
    watch: asyncio.Task[None] | None = None

    def join(self, changes: Changes) -> None:
        self.followers.add(changes)
        self.sequence += 1
        if serving.is_draining:
            changes.end()
        elif self.watch is None:
            self.watch = asyncio.create_task(self._watch())

    def leave(self, changes: Changes) -> None:
        self.followers.discard(changes)
        if self.followers:
            return
        if self.watch is not None:
            self.watch.cancel()
            self.watch = None
        self.reads.clear()

    def topics(self) -> frozenset[str]:
        return frozenset().union(*(each.topics for each in self.followers))

    def note(self, topics: Collection[str]) -> None:
        """Tell the followers; and all of them to go when the process drains."""
        if topics:
            self.sequence += 1
        for each in tuple(self.followers):
            if serving.is_draining:
                each.end()
            else:
                each.note(topics)

    async def read(self, work: Callable[[], Any], *, shared_as: str, since: int) -> Any:
        """The result of `work`, done in a database thread after the change number `since`; one for all of a name."""
        if not shared_as:
            return await feed_threads.run(work)
        known = self.reads.get(shared_as)
        if known is None or known.began_at < since or (known.result.done() and known.result.exception()):
            known = SharedRead(self.sequence, asyncio.create_task(feed_threads.run(work)))
            self.reads[shared_as] = known
        return await asyncio.shield(known.result)

    async def _watch(self) -> None:
        """Until canceled. What fails is tried again, and everything counts as changed then."""
        while True:
            try:
                await (self._watch_redis() if settings.REDIS_URL else self._watch_database())
            except (RedisError, DatabaseError, OSError) as exc:
                log.warning("changes_not_followed", error=type(exc).__name__)
            except Exception:  # the one of this loop: without it followers would wait forever
                log.exception("changes_not_followed")
            await asyncio.sleep(RETRY_AFTER_S)
            self.note(self.topics())

    async def _watch_redis(self) -> None:
        async with announcements(settings.REDIS_URL) as announced:
            self.note(self.topics())  # what was announced before we listened
            async for topic in announced:
                self.note(() if topic is None else (topic,))

    async def _watch_database(self) -> None:
        known: dict[str, int | None] = {}
        while True:
            topics = self.topics()
            versions = await feed_threads.run(read_versions, topics)
            now = {topic: versions.get(topic) for topic in topics}
            # One that nobody followed before counts as changed: it may have, since its follower looked.
            self.note({topic for topic in topics if topic not in known or known[topic] != now[topic]})
            known = now
            await asyncio.sleep(LOOK_EVERY_S)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_here() -> Hub:
    """The hub of the running event loop: a process that serves has one."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
