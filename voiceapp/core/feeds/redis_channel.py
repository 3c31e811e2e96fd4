"""Announcements by way of Redis: one channel of the installation, one connection of each process that listens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from voiceapp.core.per_process import per_process

TIMEOUT_S = 0.25
CONNECT_TIMEOUT_S = 2.0
# A Redis that does not answer delays no more than one announcement in this time.
PAUSE_S = 5.0


def channel() -> str:
    """Installations may share a Redis, whose channels know no databases."""
    return f"{settings.PROJECT_NAME}-{settings.ENVIRONMENT}:feeds"


class Publisher:
    """Of one process, for all its threads."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._paused_until = 0.0

    def publish(self, topic: str) -> bool:
        """Whether it was sent: not during the pause after a failure. Raises redis.RedisError."""
        if time.monotonic() < self._paused_until:
            return False
        self._paused_until = time.monotonic() + PAUSE_S
        self._redis.publish(channel(), topic)
        self._paused_until = 0.0
        return True


publisher = per_process(Publisher)


@asynccontextmanager
async def announcements(url: str) -> AsyncIterator[AsyncIterator[str | None]]:
    """Topics as they are announced, and None at least once a second. Raises redis.RedisError."""
    async with AsyncRedis.from_url(url, socket_connect_timeout=CONNECT_TIMEOUT_S) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(channel())
        while (message := await pubsub.get_message(timeout=CONNECT_TIMEOUT_S)) is None or message[
            "type"
        ] != "subscribe":
            pass

        async def topics() -> AsyncIterator[str | None]:
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                yield None if message is None else message["data"].decode()

        yield topics()
