"""How often each topic has changed, for the processes of one machine and one database."""

from __future__ import annotations

from django.db import models


class FeedTopic(models.Model):
    """One row per topic that changed within a day."""

    topic = models.CharField(primary_key=True, max_length=100)
    version = models.BigIntegerField()
    changed_at_s = models.BigIntegerField(db_index=True, help_text="Seconds of the epoch.")

    def __str__(self) -> str:
        return f"{self.topic}, version {self.version}"
