"""Pages of one's calls in rooms, the newest first: as quick at their end as at their beginning, however many there are.

A person's calls are those that they began and those that are for them; a key stands for its whole organization. Each of
these is one range of an index that has all that counting and skipping need; only a page's own rows are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from agents.organizations.principal import Kind, Principal

from .models import Call, TranscriptLine
from .recording_links import WITH_RECORDING, WITH_TRANSCRIPT


@dataclass(frozen=True, slots=True)
class ListedCall:
    call: Call
    has_recording: bool
    has_transcript: bool


@dataclass(frozen=True, slots=True)
class CallPage:
    """`total` is how many there are on all pages."""

    total: int
    limit: int
    offset: int
    calls: Sequence[ListedCall]

    @property
    def count(self) -> int:
        return len(self.calls)


def call_page(principal: Principal, *, status: str = "", limit: int, offset: int) -> CallPage:
    """Three queries at most."""
    in_state = {"state": status} if status else {}
    first, *more = [each.filter(**in_state).order_by().values_list("created_at", "id") for each in calls_of(principal)]
    # Nobody calls themselves, so no call is in both.
    found = first.union(*more, all=True)
    total = found.count()
    if offset >= total:
        return CallPage(total, limit, offset, [])
    after = max(total - offset - limit, 0)
    if offset <= after:
        rows = found.order_by("-created_at", "-id")[offset : offset + limit]
    else:
        # Skipping costs: the second half is reached from the end.
        rows = found.order_by("created_at", "id")[after : total - offset]
    ids = [pk for _, pk in rows]
    return CallPage(total, limit, offset, [listed(call) for call in _rows(ids)])


def calls_of(principal: Principal) -> list[QuerySet[Call]]:
    rooms = Call.objects.in_rooms()
    if principal.kind is Kind.KEY:
        return [rooms.visible_to(principal)]
    return [
        rooms.visible_to(principal).filter(owner=principal.subject),
        rooms.reachable_by(principal).filter(callee=principal.subject),
    ]


def _rows(ids: Sequence[UUID]) -> QuerySet[Call]:
    same_call = Call.objects.filter(pk=OuterRef("pk"))
    rows = Call.objects.filter(pk__in=ids).annotate(
        has_recording=Exists(same_call.filter(WITH_RECORDING)),
        has_written=Exists(same_call.filter(WITH_TRANSCRIPT)),
        has_lines=Exists(TranscriptLine.objects.filter(call=OuterRef("pk")).exclude(text="")),
    )
    shown = ("room_name", "call_type", "state", "created_at", "connected_at", "ended_at")
    return rows.only(*shown).order_by("-created_at", "-id")


def listed(call: Call) -> ListedCall:
    found = vars(call)
    return ListedCall(call, found["has_recording"], found["has_written"] or found["has_lines"])
