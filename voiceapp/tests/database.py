"""The tests' database, for processes of their own."""

from __future__ import annotations

from django.db import connection


def database_url() -> str:
    """What DATABASE_URL must be there."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


def other_connections() -> frozenset[int]:
    """To the database beside this thread's, by PostgreSQL's process ids: compare with those of before, since threads of
    earlier tests may have left theirs. SQLite's hold nothing of anybody's outside a transaction.
    """
    if connection.vendor != "postgresql":
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return frozenset(pid for (pid,) in cursor.fetchall())
