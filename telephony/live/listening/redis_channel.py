"""Between processes that share a Redis, wherever they are: a channel of its own for each listener."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from .listeners import Frame, Listener
from .outlet import IDLE_S, Outlet

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

    async def _send_all(self) -> None:
        async with _connected() as redis:
            while (frame := await self._next()) is not None:
                if not await redis.publish(self._place, _encoded(frame)):
                    return


def _connected() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=LOST_AFTER_S + 2, socket_connect_timeout=CONNECT_WITHIN_S)


def _encoded(frame: Frame) -> bytes:
    return TEXT + frame.encode() if isinstance(frame, str) else SOUND + frame


def _decoded(data: bytes) -> Frame:
    return data[1:].decode() if data[:1] == TEXT else data[1:]
