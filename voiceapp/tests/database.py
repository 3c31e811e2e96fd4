"""The tests' database, for processes of their own."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

# Django's migrations fill them, no test does.
FILLED_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}


@contextlib.contextmanager
def migrated_once(folder: Path, worker: str, *, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Of the processes of one run, which share the folder, the first one migrates its test database and leaves a copy;
    each other one, named `worker`, begins with a copy of that.
    """
    creation: Any = connection.creation  # its methods are replaced
    migrate = creation.create_test_db
    name = folder / "migrated"

    def create(*arguments: object, **options: object) -> str:
        with _one_at_a_time(folder):
            if not name.exists():
                created: str = migrate(*arguments, **options)
                connection.close()  # what is copied has no connection, and SQLite's is in one file
                name.write_text(_copied("migrated"))
                return created
            connection.settings_dict["NAME"] = name.read_text()
            copy = _copied(worker)
            connection.settings_dict["NAME"] = settings.DATABASES[connection.alias]["NAME"] = copy
            return copy

    creation.create_test_db = create
    try:
        yield
    finally:
        creation.create_test_db = migrate
        with _one_at_a_time(folder), blocker.unblock():
            if name.exists():
                # One that begins now migrates.
                creation._destroy_test_db(name.read_text(), verbosity=0)
                name.unlink()


def _copied(suffix: str) -> str:
    """The name of a copy of this thread's database."""
    connection.creation.clone_test_db(suffix, verbosity=0)
    return str(connection.creation.get_test_db_clone_settings(suffix)["NAME"])


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
