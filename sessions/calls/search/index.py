"""The full-text index of transcript lines: FTS5 on SQLite, tsvector with GIN on PostgreSQL.

Both index the column `words`, which is written with each line (words_field.py). The database keeps the index in step in
the same transaction, so that no line is missing from it, and none stays in it, wherever a process is killed. It is
declared as an index of the model, because then SQLite's triggers are made anew whenever a migration remakes the table.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table

# The table of FTS5, and the column of PostgreSQL.
FTS = "voice_sessions_line_search"
COLUMN = "search"

# `words` is the column's name in FTS5's table, too. FTS5 removes a row by the values that it was added with.
FTS_TABLE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS {fts} "
    "USING fts5(words, content='{table}', content_rowid='id', tokenize='ascii')"
)
ADD = "INSERT INTO {fts}(rowid, words) VALUES (new.id, new.words);"
REMOVE = "INSERT INTO {fts}({fts}, rowid, words) VALUES ('delete', old.id, old.words);"
TRIGGERS = {
    "added": f"AFTER INSERT ON %(table)s BEGIN {ADD} END",
    "removed": f"AFTER DELETE ON %(table)s BEGIN {REMOVE} END",
    "changed": f"AFTER UPDATE OF words ON %(table)s WHEN old.words <> new.words BEGIN {REMOVE} {ADD} END",
}
GENERATED = (
    "ALTER TABLE %(table)s ADD COLUMN {column} tsvector GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED"
)


class TranscriptIndex(models.Index):
    """An index over the column `words`, in the words of each database."""

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        table = Table(model._meta.db_table, schema_editor.quote_name)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(Statement(GENERATED.format(column=COLUMN), table=table))
            return Statement(f"CREATE INDEX {self.name} ON %(table)s USING gin ({COLUMN})", table=table)
        content = model._meta.db_table.removeprefix("new__")  # while SQLite's table is remade
        for name, body in TRIGGERS.items():
            trigger = f"CREATE TRIGGER {FTS}_{name} {body.format(fts=FTS)}"
            schema_editor.deferred_sql.append(Statement(trigger, table=table))
        return Statement(FTS_TABLE.format(fts=FTS, table=content))

    def remove_sql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **kwargs: Any) -> str:
        table = Table(model._meta.db_table, schema_editor.quote_name)
        if schema_editor.connection.vendor == "postgresql":
            return str(Statement(f"ALTER TABLE %(table)s DROP COLUMN {COLUMN}", table=table))
        for name in TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {FTS}_{name}")
        return f"DROP TABLE IF EXISTS {FTS}"


def rebuild_index() -> None:
    """Make the index anew from the column `words`, and leave nothing of what was removed from it.

    FTS5 keeps removed words in its segments until it merges them.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("REINDEX INDEX transcript_words")
            cursor.execute("RESET statement_timeout")
        else:
            for command in ("rebuild", "optimize"):
                cursor.execute(f"INSERT INTO {FTS}({FTS}) VALUES (%s)", (command,))  # noqa: S608 - a name of ours


def overwrite_what_is_removed() -> None:
    """For this connection: SQLite writes zeros over what it deletes. PostgreSQL's vacuum reclaims it by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def forget_removed() -> None:
    """Leave nothing of deleted lines in SQLite's index, whose segments keep removed words, nor in its journal."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {FTS}({FTS}) VALUES (%s)", ("optimize",))  # noqa: S608 - a name of ours
        if not connection.in_atomic_block:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
