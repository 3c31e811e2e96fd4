"""A turnstile in the database: what counts rows and then adds one must not be passed by two at once."""

from __future__ import annotations

import hashlib

from django.db import connection


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
