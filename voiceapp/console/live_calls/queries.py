"""Live calls as their pages show them: a constant number of queries, however many there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext, ngettext

from sessions.appointments.models import DraftAppointment
from sessions.appointments.wording import say_start
from sessions.calls.admin.call import shown_number
from sessions.calls.models import Call, CallKind, CallState
from sessions.orders.models import DraftOrder, Order, OrderState
from sessions.orders.services.drafts import draft_view

from .offers import is_with_agent

MOST_CALLS = 200


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A call in the list."""

    call: Call
    caller: str
    doing: str
    makes: str
    since_ms: int  # of the epoch, from which its duration counts


def live_calls(
    organization_ids: Collection[UUID], *, numbers_of: Collection[UUID], now: dt.datetime
) -> Sequence[LiveRow]:
    """The newest first. `numbers_of`: the organizations whose callers' numbers are shown in full."""
    found = Call.objects.live().filter(organization__in=organization_ids).select_related("organization", "agent")
    calls = list(found.order_by("-created_at")[:MOST_CALLS])
    makes = _makes(calls, now)
    return [
        LiveRow(
            call,
            caller=shown_number(call, sees=call.organization_id in numbers_of),
            doing=doing_of(call),
            makes=makes.get(call.pk, ""),
            since_ms=int((call.connected_at or call.created_at).timestamp() * 1000),
        )
        for call in calls
    ]


def doing_of(call: Call) -> str:
    """What is going on, in a few words."""
    if call.state != CallState.CONNECTED:
        return gettext("Ringing") if call.is_live else call.get_state_display()
    if call.kind == CallKind.ROOM:
        return gettext("In a room")
    if is_with_agent(call):
        return gettext("With the agent")
    return (
        gettext("With %(transferred_to)s, or waiting") % {"transferred_to": call.transferred_to}
        if call.transferred_to
        else gettext("Being transferred")
    )


def _makes(calls: Sequence[Call], now: dt.datetime) -> dict[UUID, str]:
    """What each call has ordered or booked, or is about to."""
    by_id = {call.pk: call for call in calls}
    made: dict[UUID, str] = {}
    for appointment in DraftAppointment.objects.filter(call__in=by_id).select_related("service", "appointment"):
        made[appointment.call_id] = _appointment(appointment, by_id[appointment.call_id], now)
    for draft in DraftOrder.objects.filter(call__in=by_id):
        call = by_id[draft.call_id]
        if draft.lines and call.organization is not None:
            order = draft_view(call.organization, draft).shown()
            count = sum(line["quantity"] for line in order["lines"])
            text = ngettext(
                "Order: %(number)s item, %(total)s %(currency)s",
                "Order: %(number)s items, %(total)s %(currency)s",
                count,
            )
            made[call.pk] = text % {"number": count, "total": order["total"], "currency": order["currency"]}
    for placed in Order.objects.filter(call__in=by_id).exclude(state=OrderState.REPLACED).order_by("number"):
        if placed.call_id is not None:
            made[placed.call_id] = gettext("Order No. %(number)s, %(total)s %(currency)s") % {
                "number": placed.number,
                "total": placed.total,
                "currency": placed.currency,
            }
    return made


def _appointment(draft: DraftAppointment, call: Call, now: dt.datetime) -> str:
    if draft.appointment is not None and draft.carried_out_version == draft.version:
        return gettext("Appointment No. %(number)s") % {"number": draft.appointment.number}
    starts = say_start(draft.starts_at, now, call.organization.zone) if draft.starts_at and call.organization else ""
    parts = [draft.service.name if draft.service else "", starts]
    return gettext("Appointment: %(parts)s") % {"parts": ", ".join(filter(None, parts))} if any(parts) else ""
