"""Takes a caller's number out of the audit log, for example from a note that somebody typed it into."""

from __future__ import annotations

from typing import Any

from agents.organizations.models import Organization

from .models import AuditEntry

DELETED = "Deleted"


def forget_in_audit_log(organization: Organization, number: str) -> int:
    """Who changed what and when stays; values with the number (E.164) do not. How many entries had it."""
    entries = AuditEntry.objects.filter(organization=organization)
    found = entries.filter(changes__icontains=number) | entries.filter(name__icontains=number)
    forgotten = 0
    for entry in found.select_for_update(of=("self",)):
        changes = [[name, *(_without(value, number) for value in values)] for name, *values in entry.changes]
        AuditEntry.objects.filter(pk=entry.pk).update(changes=changes, name=_without(entry.name, number))
        forgotten += 1
    return forgotten


def _without(value: Any, number: str) -> Any:
    return DELETED if number in str(value) else value
