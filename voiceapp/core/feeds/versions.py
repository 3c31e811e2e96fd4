"""Announcements by way of the database: one statement raises a topic's version, one query reads those of many."""

from __future__ import annotations

import time
from collections.abc import Collection

from django.db import connection

from voiceapp.core.batches import delete_in_batches

from .models import FeedTopic

RAISE = """
INSERT INTO feeds_feedtopic AS known (topic, version, changed_at_s) VALUES (%s, 1, %s)
ON CONFLICT (topic) DO UPDATE SET version = known.version + 1, changed_at_s = excluded.changed_at_s
"""
KEPT_FOR_S = 24 * 60 * 60


def raise_version(topic: str) -> None:
    """Raises django.db.DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(RAISE, [topic, int(time.time())])


def read_versions(topics: Collection[str]) -> dict[str, int]:
    """The version of each topic that has changed within a day."""
    return dict(FeedTopic.objects.filter(topic__in=topics).values_list("topic", "version"))


def purge_topics() -> int:
    """Delete the topics that have not changed for a day; returns their number."""
    return delete_in_batches(FeedTopic.objects.filter(changed_at_s__lt=int(time.time()) - KEPT_FOR_S))
