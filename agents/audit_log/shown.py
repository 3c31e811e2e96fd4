"""Entries of the audit log on pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.template.loader import render_to_string

from agents.hours.local_time import when_of
from voiceapp.core.differences import compare

from .models import AuditEntry
from .queries import entries_of_page
from .text import kind_label, shown_changes


@dataclass(frozen=True, slots=True)
class ShownEntry:
    row: AuditEntry
    when: str
    kind: str
    changes: str


def shown_entries(row: models.Model) -> list[ShownEntry]:
    """On the history of a row's page."""
    return [
        ShownEntry(entry, when_of(entry, entry.at), kind_label(entry.kind), render_changes(entry))
        for entry in entries_of_page(row)
    ]


def render_changes(entry: AuditEntry) -> str:
    """A table of old and new values; long texts line by line."""
    rows = [(each, compare(each.old, each.new) if each.is_long else []) for each in shown_changes(entry)]
    return render_to_string("admin/audit_log/changes.html", {"rows": rows, "entry": entry})
