"""Readiness checks of what a call needs, one second each; only their names are public, never their errors."""

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

TIMEOUT_S = 1.0


class Check:
    """A check of one dependency. While its last run has not ended, the dependency is down and no other run starts."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.name = name
        self._run = run
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"ready-{name}")
        self._last_run: Future[bool] | None = None
        self._lock = threading.Lock()

    def begin(self) -> Future[bool]:
        """The pending result: True if it is down. Concurrent requests share a run."""
        with self._lock:
            if self._last_run is None or self._last_run.done():
                self._last_run = self._executor.submit(self._is_down)
            return self._last_run

    def _is_down(self) -> bool:
        try:
            self._run()
        except Exception:  # any exception of a driver means that it is down; the log has the details
            logger.exception("not ready", check=self.name)
            return True
        return False


def what_is_down() -> dict[str, bool]:
    """Whether each dependency is down, by name."""
    results = {check.name: check.begin() for check in checks()}
    finished = wait(results.values(), timeout=TIMEOUT_S).done
    return {name: result not in finished or result.result() for name, result in results.items()}


@cache
def checks() -> list[Check]:
    return [
        Check("database", check_database),
        Check("migrations", check_migrations),
        Check("cache", check_cache),
        Check("queue", check_queue),
    ]


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        # An open connection would not show whether a call can open one.
        connection.close()


@cache  # migrated stays migrated; exceptions are not cached
def check_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise RuntimeError("migrations are missing: run `manage.py migrate`")
    finally:
        connection.close()


def check_cache() -> None:
    key, value = f"ready-{uuid4().hex}", "1"
    caches["default"].set(key, value, timeout=5)
    if caches["default"].get(key) != value:
        raise RuntimeError("the cache does not store values")


def check_queue() -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        if not os.access(settings.QUEUE_DIR, os.W_OK | os.X_OK):
            raise RuntimeError("the queue's folder cannot be written")
        return
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with Connection(settings.CELERY_BROKER_URL, transport_options=options, connect_timeout=1) as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
        if settings.CELERY_BROKER_URL.startswith("sqs:"):
            # SQS has no connection; a channel requests the queues.
            with broker.channel():
                pass
