"""Before a request waits for a company: give back the database connection that it would hold meanwhile."""

from __future__ import annotations

from django.db import connections


def give_back_connections() -> None:
    """Close this thread's connections to servers, or return them to their pool; the next query opens one again.

    One inside a transaction stays, and so does SQLite's, which nobody else waits for.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" and not connection.in_atomic_block:
            connection.close()
