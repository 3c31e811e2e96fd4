"""Announces a change, from any process. Nothing depends on it: whoever follows also looks from time to time."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from redis import RedisError

from .redis_channel import publisher
from .versions import raise_version

log = structlog.get_logger(__name__)


def announce_change(topic: str) -> None:
    """Tell those who follow the topic, when the transaction is committed; once, however often it is called in one.

    Never raises for a Redis or a database that is away. The names of topics: docs/reference/feeds.md.
    """
    announcement = Announcement(topic)
    if not any(announcement in waiting for waiting in connection.run_on_commit):
        transaction.on_commit(announcement)


@dataclass(frozen=True, slots=True)
class Announcement:
    """Equal for the same topic, so that a transaction announces it once."""

    topic: str

    def __call__(self) -> None:
        try:
            if settings.REDIS_URL:
                publisher(settings.REDIS_URL).publish(self.topic)
            else:
                raise_version(self.topic)
        except (RedisError, DatabaseError) as exc:
            log.warning("change_not_announced", topic=self.topic, error=type(exc).__name__)
