"""Between processes that share a Redis, wherever they are: a channel of its own for each listener."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from .listeners import Frame, Listener
from .outlet import IDLE_S, Outlet

logger = structlog.get_logger("listening")

KIND = "redis"
PREFIX = "voiceapp:listening:"
# The carrying process sends something every IDLE_S.
LOST_AFTER_S = 4 * IDLE_S
CONNECT_WITHIN_S = 2.0
TEXT, SOUND = b"t", b"s"


@asynccontextmanager
async def inlet(listener: Listener) -> AsyncIterator[str]:
    name = PREFIX + secrets.token_urlsafe(16)
    async with _connected() as redis, redis.pubsub() as channel:
        await channel.subscribe(name)
        await channel.get_message(timeout=CONNECT_WITHIN_S)  # that it is subscribed

        async def receive() -> None:
            try:
                with contextlib.suppress(RedisError, OSError, UnicodeError):
                    while (message := await channel.get_message(timeout=LOST_AFTER_S)) is not None:
                        listener.hear(_decoded(message["data"]))
            finally:
                listener.gone.set()

        receiving = asyncio.create_task(receive())
        try:
            yield f"{KIND}:{name}"
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


class RedisOutlet(Outlet):
    """Publishes until nobody is subscribed any more."""

    async def _open(self) -> None:
        """The publisher connects."""

    def _send(self) -> None:
        if self._waiting:
            _publisher_here().send(self)

    _close = _send

    def take_waiting(self) -> list[tuple[str, bytes]]:
        """What waits, each with its channel."""
        frames = [(self._place, _encoded(frame)) for frame in self._waiting]
        self._waiting.clear()
        return frames


class Publisher:
    """Of all calls of this process: what is said in them meanwhile goes in one request, on one connection."""

    def __init__(self) -> None:
        self._senders: dict[RedisOutlet, None] = {}
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def send(self, outlet: RedisOutlet) -> None:
        self._senders[outlet] = None
        self._news.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """While there is anything to send: each outlet has something every IDLE_S."""
        while self._senders:
            try:
                async with _connected() as redis:
                    await self._publish(redis)
            except (RedisError, OSError) as fault:
                logger.warning("listeners lost", exc_info=fault)
                self._lose(self._taken())

    async def _publish(self, redis: Redis) -> None:
        while await self._has_news_within(2 * IDLE_S):
            senders = self._taken()
            frames = [(outlet, *frame) for outlet in senders for frame in outlet.take_waiting()]
            try:
                async with redis.pipeline(transaction=False) as request:
                    for _, channel, frame in frames:
                        request.publish(channel, frame)
                    heard_by = await request.execute()
            except BaseException:
                self._lose(senders)
                raise
            self._lose(outlet for (outlet, *_), number in zip(frames, heard_by, strict=True) if not number)

    async def _has_news_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _taken(self) -> list[RedisOutlet]:
        senders = list(self._senders)
        self._senders.clear()
        self._news.clear()
        return senders

    def _lose(self, outlets: Iterable[RedisOutlet]) -> None:
        for outlet in outlets:
            outlet.listener.gone.set()


_publishers: WeakKeyDictionary[asyncio.AbstractEventLoop, Publisher] = WeakKeyDictionary()


def _publisher_here() -> Publisher:
    """One for each event loop."""
    return _publishers.setdefault(asyncio.get_running_loop(), Publisher())


def _connected() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=LOST_AFTER_S + 2, socket_connect_timeout=CONNECT_WITHIN_S)


def _encoded(frame: Frame) -> bytes:
    return TEXT + frame.encode() if isinstance(frame, str) else SOUND + frame


def _decoded(data: bytes) -> Frame:
    return data[1:].decode() if data[:1] == TEXT else data[1:]
