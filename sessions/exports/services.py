"""Writes the log of exports: a row when a file begins, and how many rows it had when it has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from .models import Export
from .queries import kept_query, without_person


class OfOrganization(Protocol):
    @property
    def organization_id(self) -> UUID | None: ...


T = TypeVar("T", bound=OfOrganization)


@dataclass(frozen=True, slots=True)
class ExportLog:
    """The export of one file, with an entry for each organization."""

    entries: Sequence[Export]
    sent: Counter[UUID | None] = field(default_factory=Counter)

    def counted(self, batches: Iterable[list[T]]) -> Iterator[list[T]]:
        for batch in batches:
            self.sent.update(row.organization_id for row in batch)
            yield batch

    def until_end(self, parts: Iterable[str]) -> Iterator[str]:
        """The parts of the file. One that is broken off stays without a count."""
        yield from parts
        for entry in self.entries:
            Export.objects.filter(pk=entry.pk).update(rows=self.sent[entry.organization_id])


def begin_export(
    rows: QuerySet[Any], *, kind: Export.Kind, by: str, way: Export.Way, file_format: str, query: str, has_numbers: bool
) -> ExportLog:
    """An entry for each organization of which some rows are about to be sent. Raises QueryTooLong."""
    organizations = rows.order_by().values_list("organization_id", flat=True).distinct()
    filters = without_person(kept_query(query))
    return ExportLog(
        [
            Export.objects.create(
                organization_id=each, kind=kind, principal=by[:150], way=way, file_format=file_format,
                filters=filters, has_numbers=has_numbers,
            )
            for each in organizations
        ]
    )  # fmt: skip
