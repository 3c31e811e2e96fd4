"""Writes the words of all lines anew, such as after a change of `words.py`."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models, transaction

from sessions.calls.models import TranscriptLine

from .index import rebuild_index
from .words_field import indexed_words, scope_of

AT_ONCE = 1000


def rebuild_search(progress: Callable[[int], None]) -> int:
    """How many lines had other words. Safe to repeat and to end at any time; calls may go on meanwhile."""
    changed, seen, last = 0, 0, 0
    while True:
        with transaction.atomic():
            lines = list(_after(last).select_for_update(of=("self",))[:AT_ONCE])
            stale = [line for line in lines if line.words != _words_of(line)]
            for line in stale:
                line.words = _words_of(line)
            TranscriptLine.objects.bulk_update(stale, ["words"], batch_size=100)
        if not lines:
            break
        changed, seen, last = changed + len(stale), seen + len(lines), lines[-1].pk
        progress(seen)
    rebuild_index()
    return changed


def _after(pk: int) -> models.QuerySet[TranscriptLine]:
    needed = ("text", "words", "call__organization_id", "call__owner")
    return TranscriptLine.objects.filter(pk__gt=pk).select_related("call").only(*needed).order_by("pk")


def _words_of(line: TranscriptLine) -> str:
    return indexed_words(line.text, scope_of(line.call.organization_id, line.call.owner))
