"""What a call needs besides this process, each asked for at most a second; only names are told, never errors."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection

logger = structlog.get_logger("readiness")

ANSWER_WITHIN_S = 1.0


class Check:
    """One dependency. While its last question is still unanswered it is down, and is not asked again."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self.name = name
        self._ask = ask
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"ready-{name}")
        self._asked: Future[bool] | None = None
        self._lock = threading.Lock()

    def begin(self) -> Future[bool]:
        """The answer to come: True when it is down. Those who ask meanwhile share it."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = self._executor.submit(self._is_down)
            return self._asked

    def _is_down(self) -> bool:
        try:
            self._ask()
        except Exception:  # whatever a driver raises means the same here; the log says what it was
            logger.exception("not ready", check=self.name)
            return True
        return False


def what_is_down() -> dict[str, bool]:
    """By name, whether each dependency is down."""
    asked = {check.name: check.begin() for check in checks()}
    answered = wait(asked.values(), timeout=ANSWER_WITHIN_S).done
    return {name: answer not in answered or answer.result() for name, answer in asked.items()}


@cache
def checks() -> list[Check]:
    return [
        Check("database", ask_database),
        Check("migrations", ask_migrations),
        Check("cache", ask_cache),
        Check("queue", ask_queue),
    ]


def ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        # Kept open it would say nothing about whether a call could open one.
        connection.close()


@cache  # what was migrated stays so; an exception is not remembered
def ask_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise RuntimeError("migrations are missing: run `manage.py migrate`")
    finally:
        connection.close()


def ask_cache() -> None:
    key, value = f"ready-{uuid4().hex}", "1"
    caches["default"].set(key, value, timeout=5)
    if caches["default"].get(key) != value:
        raise RuntimeError("the cache forgets at once")


def ask_queue() -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        if not os.access(settings.QUEUE_DIR, os.W_OK | os.X_OK):
            raise RuntimeError("the queue's folder cannot be written")
        return
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with Connection(settings.CELERY_BROKER_URL, transport_options=options, connect_timeout=1) as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
        if settings.CELERY_BROKER_URL.startswith("sqs:"):
            # It has no connection; a channel asks for the queues.
            with broker.channel():
                pass
