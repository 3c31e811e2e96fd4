"""A limit's counter in the database, for the time in which the cache is unavailable."""

from __future__ import annotations

from django.db import models


class LimitCount(models.Model):
    """One row per limit, client (hashed) and window. Rows are purged after their window."""

    limit = models.CharField(max_length=30)
    client_hash = models.CharField(max_length=64)
    window_ends_at = models.BigIntegerField(db_index=True, help_text="The window's last second, of the epoch.")
    used = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("limit", "client_hash", "window_ends_at"), name="limit_count_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.limit} until {self.window_ends_at}: {self.used}"
