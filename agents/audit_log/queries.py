"""Reads of the audit log."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.db import models
from django.db.models import Q, QuerySet

from agents.organizations.auditing import page_key
from voiceapp.core.spreadsheets import BYTE_ORDER_MARK, escaped

from .models import AuditEntry
from .text import kind_label, shown_changes

MOST_ON_PAGE = 200
BATCH = 1000
COLUMNS = ("time", "who", "by way of", "from where", "action", "kind", "name", "what", "old", "new", "organization")


def entries_of_page(row: models.Model) -> list[AuditEntry]:
    """The newest changes of the row and of those that stand on its page."""
    entries = AuditEntry.objects.filter(page=page_key(type(row), row.pk)).select_related("organization")
    return list(entries.order_by("-id")[:MOST_ON_PAGE])


def csv_of(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """A line for each change, the newest first. A fixed number of queries for each batch."""
    yield BYTE_ORDER_MARK + csv_part([COLUMNS])
    rows, after = entries.order_by("-at", "-id").select_related("organization"), Q()
    while batch := list(rows.filter(after)[:BATCH]):
        last = batch[-1]
        after = Q(at__lte=last.at) & (Q(at__lt=last.at) | Q(pk__lt=last.pk))
        yield csv_part([escaped(cell) for cell in line] for entry in batch for line in _lines(entry))


def csv_part(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _lines(entry: AuditEntry) -> Iterator[list[str]]:
    at = entry.at.astimezone(entry.organization.zone).isoformat(timespec="seconds")
    common = [at, entry.actor, entry.get_via_display(), entry.place, entry.get_action_display(),
              kind_label(entry.kind), entry.name]  # fmt: skip
    shown = [(each.label, each.old, each.new) for each in shown_changes(entry)] or [("", "", "")]
    for what in shown:
        yield [*common, *what, entry.organization.name]
