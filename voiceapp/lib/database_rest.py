"""What waits for a company holds no connection to the database meanwhile."""

from __future__ import annotations

from django.db import connections


def let_go_of_the_database() -> None:
    """Close this thread's connections to database servers; the next query opens one again.

    One in a transaction stays, and so do SQLite's: a file is no scarce place.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" and not connection.in_atomic_block:
            connection.close()
