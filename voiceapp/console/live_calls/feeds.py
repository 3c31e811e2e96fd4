"""The feeds of the two pages: what is read, on a database thread, whenever a call has changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.utils import timezone

from agents.organizations.access import Access, load_access
from agents.organizations.roles import Area
from sessions.calls.admin.call_page import offset_ms
from sessions.calls.admin.display import offset_text, reason_and_advice
from sessions.calls.admin.event_text import event_sentence
from sessions.calls.models import Call
from voiceapp.core.feeds.streaming import Event

from ..call_page.progress import progress_of
from .offers import Deed, why_not
from .queries import doing_of, live_calls
from .services import people_for, why_nobody

MOST_LINES = 200
MOST_EVENTS = 60


def read_list(organization_ids: Collection[UUID], numbers_of: Collection[UUID], changed: frozenset[str]) -> list[Event]:
    """A row for each live call, then their order: a page drops the rows that are not in it."""
    rows = live_calls(organization_ids, numbers_of=numbers_of, now=timezone.now())
    many = len(organization_ids) > 1
    events = [
        Event(
            "call",
            {"html": render_to_string("admin/live_calls/row.html", {"row": row, "has_organizations": many})},
            id=str(row.call.pk),
        )
        for row in rows
    ]
    return [*events, Event("calls", {"ids": [str(row.call.pk) for row in rows]})]


def read_call(user_id: int, call_id: UUID, changed: frozenset[str]) -> list[Event]:
    """Its state, what it makes, its last lines and its timeline. Raises PermissionDenied."""
    access = load_access(User.objects.filter(pk=user_id).first() or AnonymousUser())
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).select_related("organization", "agent")
    call = calls.filter(pk=call_id).first()
    if call is None:
        raise PermissionDenied
    return [
        Event("state", state_of(call, access)),
        Event("part", {"html": making_html(call)}, id="making"),
        Event("part", {"html": timeline_html(call)}, id="timeline"),
        *(Event("line", line) for line in lines_of(call)),
    ]


def state_of(call: Call, access: Access) -> dict[str, Any]:
    """`offers`: why something cannot be done now, or nothing where it can."""
    people = people_for(call)
    offers = {deed.value: why_not(deed, call, access) for deed in Deed}
    offers[Deed.HAND_OVER] = offers[Deed.HAND_OVER] or why_nobody(people)
    return {
        "doing": doing_of(call),
        "isLive": call.is_live,
        "reason": reason_and_advice(call.end_reason)[0] if call.end_reason else "",
        "sinceMs": int((call.connected_at or call.created_at).timestamp() * 1000),
        "durationS": None if call.is_live else call.duration_so_far_s,
        "offers": offers,
        "people": [{"slug": person.slug, "name": person.name, "isThere": person.is_there} for person in people],
    }


def lines_of(call: Call) -> list[dict[str, Any]]:
    """As `caption_frame` (telephony/live/listening/listeners.py) has them."""
    lines = call.lines.order_by("-spoken_at_ms", "-id").values("item_id", "speaker", "text", "spoken_at_ms", "is_cut")[
        :MOST_LINES
    ]
    return [
        {
            "id": line["item_id"],
            "who": line["speaker"],
            "text": line["text"],
            "atMs": line["spoken_at_ms"],
            "isFinal": True,
            "wasInterrupted": line["is_cut"],
        }
        for line in reversed(lines)
    ]


def making_html(call: Call) -> str:
    return render_to_string("admin/live_calls/making.html", {"progress": progress_of(call)})


def timeline_html(call: Call) -> str:
    events = list(call.events.order_by("-at", "-id")[:MOST_EVENTS])
    rows = [
        (
            offset_text(event.at_ms if event.at_ms is not None else offset_ms(call, event.at)),
            event_sentence(event.kind, event.detail),
        )
        for event in reversed(events)
    ]
    return render_to_string("admin/live_calls/timeline.html", {"rows": rows})
