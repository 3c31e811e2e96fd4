"""Database transactions: retried after conflicts, serialized by name; connections released before slow requests."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, connections

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_ATTEMPTS = 3
# No retry starts after this: a caller is waiting (reliability, row 16: 4 s in all).
RETRY_FOR_S = 2.0


class ConcurrentUpdate(Exception):
    """Another transaction changed the row in the meantime; retry the whole transaction."""


class NotSaved(Exception):
    """Nothing was changed, and retrying did not help."""


def retried(work: Callable[[], T], *, what: str) -> T:
    """The result of `work`, which is one transaction and may run several times; raises NotSaved.

    Retried after a deadlock, a serialization failure, a locked database, a lost connection, and after a violated unique
    constraint: the same request was faster in another process.
    """
    give_up_at, attempt = monotonic() + RETRY_FOR_S, 1
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError, IntegrityError, ConcurrentUpdate) as exc:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            log.warning("not_saved_yet", what=what, attempt=attempt, error=type(exc).__name__)
            if attempt == MAX_ATTEMPTS or monotonic() > give_up_at:
                raise NotSaved(what) from exc
            sleep(random.uniform(0.01, 0.05) * 4 ** (attempt - 1))
            attempt += 1
        except DatabaseError as exc:
            log.exception("not_saved", what=what)
            raise NotSaved(what) from exc


def release_connections() -> None:
    """Before a request to a provider: close this thread's database connections, or return them to their pool.

    The next query opens one again. Connections in a transaction stay open, and SQLite's, which is not shared.
    """
    for each in connections.all(initialized_only=True):
        if each.vendor != "sqlite" and not each.in_atomic_block:
            each.close()


def serialize(*names: str) -> None:
    """Hold the locks of these names until the transaction ends. Call it inside `atomic`.

    For transactions that count rows and then add one. PostgreSQL uses advisory locks; SQLite's immediate transactions
    are serialized anyway. Who takes several names them in the same order everywhere, so that no two wait for each
    other.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a lock by name lasts until the end of a transaction: open one first")
    if connection.vendor == "postgresql":
        keys = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True) for name in names]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(["pg_advisory_xact_lock(%s)"] * len(keys)), keys)
