"""The tests' database, for processes of their own."""

from __future__ import annotations

from django.db import connection


def database_url() -> str:
    """What DATABASE_URL must be there."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
