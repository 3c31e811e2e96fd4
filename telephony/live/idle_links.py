"""Links that are connected before a call needs them: the call then does not wait for TCP, TLS and the handshake."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

import structlog
from django.conf import settings

from telephony.bridge.core.actions import LinkLoss
from voiceapp.core import metrics
from voiceapp.core.serving import serving

from .idle_link import Destination, IdleLink
from .links import ProviderLink

logger = structlog.get_logger("idle_links")

TICK_S = 0.5
RECENT_S = 60.0
QUIET_AFTER_S = 3600.0
# A successor is connected when this part of a link's age is over.
RENEW_AT = 0.9
LONGEST_PAUSE_S = 60.0
TOO_MANY_REQUESTS = 429


class Pool:
    """The idle links of one destination, and the calls that decide how many there should be."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.links: deque[IdleLink] = deque()
        self.connecting: set[asyncio.Task[None]] = set()
        self.last_call_at = -math.inf
        self.again_at = -math.inf
        self._is_good = False  # a call has connected with this key
        self._recent_calls: deque[float] = deque()
        self._connect_s = 0.0
        self._failures = 0

    def __len__(self) -> int:
        return len(self.links) + len(self.connecting)

    def call_began(self, now: float) -> None:
        self.last_call_at = now
        self._recent_calls.append(now)

    def wanted(self, now: float) -> int:
        """The calls that begin while a link connects: their mean, and twice its root for those that come together."""
        while self._recent_calls and now - self._recent_calls[0] > RECENT_S:
            self._recent_calls.popleft()
        if not self._is_good or now - self.last_call_at > QUIET_AFTER_S:
            return 0
        mean = len(self._recent_calls) / RECENT_S * self._connect_s
        return max(1, math.ceil(mean + 2 * math.sqrt(mean)))

    def connected(self, within_s: float) -> None:
        self._connect_s = (self._connect_s + within_s) / 2 if self._connect_s else within_s

    def worked(self) -> None:
        """A call connected, or took an idle link."""
        self._is_good = True
        self._failures = 0

    def failed(self, now: float, loss: LinkLoss) -> None:
        """Pause before the next link; after a refusal for good, until a call has connected with this key again."""
        if loss.is_fatal:
            self._is_good = False
            self.close_all()
        if loss.wait_ms is not None:
            self.again_at = max(self.again_at, now + loss.wait_ms / 1000)
        elif now >= self.again_at:  # links that are lost together count once
            self.again_at = now + min(2.0**self._failures, LONGEST_PAUSE_S)
            self._failures += 1

    def close(self, idle: IdleLink) -> None:
        self.links.remove(idle)
        idle.link.close()

    def close_all(self) -> None:
        for task in self.connecting:
            task.cancel()
        for idle in tuple(self.links):
            self.close(idle)


class IdleLinks:
    """All idle links of this process. There are none before `start` and after `stop`: each call connects by itself."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pools: dict[Destination, Pool] = {}
        self._keeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(len(pool.links) for pool in self._pools.values())

    def start(self) -> None:
        """Calls on the running event loop may have idle links from now on."""
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Close all. The links that calls have taken are theirs."""
        self._loop = None
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        for pool in self._pools.values():
            pool.close_all()
        self._pools.clear()
        self._count()

    def take(self, destination: Destination) -> IdleLink | None:
        """A call begins: an idle link for it, if there is one."""
        idle = None
        if self._is_on:
            pool, now = self._pool_of(destination), _now()
            pool.call_began(now)
            self._close_old(pool, now)
            if pool.links:
                idle = pool.links.popleft()
                pool.worked()
            self._adjust()
        metrics.call_links.labels(kind="new" if idle is None else "idle").inc()
        return idle

    def new_link(
        self,
        destination: Destination,
        *,
        on_opened: Callable[[], None],
        on_frame: Callable[[str], None],
        on_lost: Callable[[LinkLoss], None],
    ) -> ProviderLink:
        """A link that the call connects. It shows how long that takes, and whether the key is good for idle ones."""
        began_at = _now()

        def opened() -> None:
            link.hand_to(on_frame=on_frame, on_lost=on_lost)
            if self._is_on:
                pool = self._pool_of(destination)
                pool.connected(_now() - began_at)
                pool.worked()
                self._adjust()
            on_opened()

        def lost(loss: LinkLoss) -> None:
            if self._is_on:
                self._pool_of(destination).failed(_now(), loss)
                if loss.code == TOO_MANY_REQUESTS:  # an idle link must not take the place of a call
                    for pool in self._pools.values():
                        pool.close_all()
                self._adjust()
            on_lost(loss)

        link = destination.link(on_opened=opened, on_frame=on_frame, on_lost=lost)
        return link

    @property
    def _is_on(self) -> bool:
        """The greeting maker's links are connected on event loops of their own, which end with them."""
        return settings.MAX_IDLE_LINKS > 0 and self._loop is asyncio.get_running_loop()

    def _pool_of(self, destination: Destination) -> Pool:
        """A new pool closes those of the same address: the key was replaced."""
        pool = self._pools.get(destination)
        if pool is None:
            for other in [each for each in self._pools if each.url == destination.url]:
                self._pools.pop(other).close_all()
            pool = self._pools[destination] = Pool(destination)
            if self._keeper is None:
                self._keeper = asyncio.create_task(self._keep(), name="idle links")
        return pool

    async def _keep(self) -> None:
        """Ends with the last pool, so that an idle process does nothing."""
        while self._pools:
            await asyncio.sleep(TICK_S)
            self._adjust()
        self._keeper = None

    def _adjust(self) -> None:
        now = _now()
        most = max(0, min(settings.MAX_IDLE_LINKS, settings.MAX_LIVE_CALLS - serving.live_calls))
        left = most
        for pool in sorted(self._pools.values(), key=lambda each: each.last_call_at, reverse=True):
            wanted = min(pool.wanted(now), left)
            left -= wanted
            self._fit(pool, wanted, most, now)
            if not len(pool) and now - pool.last_call_at > QUIET_AFTER_S:
                del self._pools[pool.destination]
        self._count()

    def _fit(self, pool: Pool, wanted: int, most: int, now: float) -> None:
        """Connect what is missing, the successors of old links among it, and close what is not needed any more."""
        self._close_old(pool, now)
        old = [each for each in pool.links if now - each.began_at >= settings.IDLE_LINK_MAX_AGE_S * RENEW_AT]
        fresh = len(pool.links) - len(old)
        if fresh >= wanted:
            while len(pool.links) > wanted:
                pool.close(pool.links[0])
        elif now >= pool.again_at:
            for _ in range(wanted - fresh - len(pool.connecting)):
                if sum(map(len, self._pools.values())) >= most:
                    if not old:
                        return
                    pool.close(old.pop(0))
                task = asyncio.create_task(self._connect(pool))
                pool.connecting.add(task)
                task.add_done_callback(pool.connecting.discard)

    def _close_old(self, pool: Pool, now: float) -> None:
        for idle in [each for each in pool.links if now - each.began_at >= settings.IDLE_LINK_MAX_AGE_S]:
            pool.close(idle)

    async def _connect(self, pool: Pool) -> None:
        idle = IdleLink(pool.destination, on_lost=lambda lost: self._lost(pool, lost))
        await idle.connect()
        now = _now()
        if idle.loss is None:
            pool.connected(now - idle.began_at)
            pool.links.append(idle)
            self._count()
        else:
            self._failed(pool, idle.loss)

    def _lost(self, pool: Pool, idle: IdleLink) -> None:
        if idle in pool.links and idle.loss is not None:
            pool.links.remove(idle)
            self._failed(pool, idle.loss)
            self._count()

    def _failed(self, pool: Pool, loss: LinkLoss) -> None:
        now = _now()
        pool.failed(now, loss)
        logger.warning("idle link lost", reason=loss.reason, again_in_s=max(0, round(pool.again_at - now)))

    def _count(self) -> None:
        metrics.idle_links.set(len(self))


def _now() -> float:
    return asyncio.get_running_loop().time()


idle_links = IdleLinks()
