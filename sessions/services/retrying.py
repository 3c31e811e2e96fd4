"""Tries a transaction again when the database says that another one was in its way."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection

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

    Tried again after a deadlock, a serialisation failure, a locked database, a lost connection, and when a unique
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
