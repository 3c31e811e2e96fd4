"""`manage.py rebuild_call_search`: writes the full-text index of transcripts anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sessions.calls.search.rebuilding import rebuild_search


class Command(BaseCommand):
    help = (
        "Writes the full-text index of transcripts anew. It is kept in step by the database: this is for a restored "
        "table, and for a new version that compares words in another way. Calls may go on meanwhile."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed = rebuild_search(lambda seen: self.stderr.write(f"{seen:,} lines read", ending="\r"))
        self.stdout.write(f"The index is rebuilt; {changed:,} lines had other words.")
