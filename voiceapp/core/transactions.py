"""Database transactions: retried after a conflict, one at a time by name, none held while a provider is asked."""

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

TRIES = 3
# No further try begins after this: a caller is waiting (reliability, row 16: 4 s in all).
TRY_FOR_S = 2.0


class DraftMoved(Exception):
    """Another writer changed the draft in between; everything may be tried again from the start."""


class NotSaved(Exception):
    """Nothing was changed, and trying again did not help."""


def retried(work: Callable[[], T], *, what: str) -> T:
    """The result of `work`, which is one transaction and may run several times; raises NotSaved.

    Tried again after a deadlock, a serialization failure, a locked database, a lost connection, and when a unique
    constraint shows that a twin of this request was faster.
    """
    give_up_at, attempt = monotonic() + TRY_FOR_S, 1
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError, IntegrityError, DraftMoved) as exc:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            log.warning("not_saved_yet", what=what, attempt=attempt, error=type(exc).__name__)
            if attempt == TRIES or monotonic() > give_up_at:
                raise NotSaved(what) from exc
            sleep(random.uniform(0.01, 0.05) * 4 ** (attempt - 1))
            attempt += 1
        except DatabaseError as exc:
            log.exception("not_saved", what=what)
            raise NotSaved(what) from exc


def give_back_connections() -> None:
    """Close this thread's connections to servers, or return them to their pool; the next query opens one again.

    One inside a transaction stays, and so does SQLite's, which nobody else waits for.
    """
    for each in connections.all(initialized_only=True):
        if each.vendor != "sqlite" and not each.in_atomic_block:
            each.close()


def pass_one_by_one(name: str) -> None:
    """Until the transaction ends, nobody else passes the turnstile of this name. Call it inside `atomic`.

    SQLite's immediate transactions already queue; PostgreSQL gets an advisory lock.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a turnstile holds until the end of a transaction: open one first")
    if connection.vendor == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
