"""The tests' database, for processes of their own."""

from __future__ import annotations

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

# Django's migrations fill them, no test does.
FILLED_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}


def empty_tables(database: BaseDatabaseWrapper) -> None:
    """Delete what a test with transactions of its own has left: `flush`, without the content types and permissions of
    all models, which it would delete and make anew each time, and without a statement for each table that is empty.
    """
    quote = database.ops.quote_name
    tables = [
        quote(table)
        for table in database.introspection.django_table_names(only_existing=False, include_views=False)
        if table not in FILLED_BY_MIGRATIONS
    ]
    with database.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT {n} WHERE EXISTS (SELECT 1 FROM {t})" for n, t in enumerate(tables)))
        filled = [tables[n] for (n,) in cursor.fetchall()]
    database.ops.execute_sql_flush([f"DELETE FROM {table}" for table in filled])


def database_url() -> str:
    """What DATABASE_URL must be there."""
    db = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{db['NAME']}"
    return f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"


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
