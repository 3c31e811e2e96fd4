"""What came of a call, beside the state in which it ended: a call can end well and bring nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, TextChoices

from agents.organizations.principal import Principal
from agents.organizations.tenancy import TenantQuerySet
from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.models import VOID_STATES, Order

UNPAID = VOID_STATES
# Up to so many calls are looked up by their keys. Of more, each list finds some soon when it asks of call after call.
MOST_KNOWN = 5000


class CallOutcome(TextChoices):
    """A call can have several; NOTHING excludes the others."""

    ORDER = "order"
    APPOINTMENT = "appointment"
    TRANSFER = "transfer", "Transferred to a person"
    VOICEMAIL = "voicemail", "Left a message"
    NOTHING = "nothing", "None of these"


def standing_orders() -> TenantQuerySet[Order]:
    return Order.objects.exclude(state__in=UNPAID)


def has_outcome(outcome: str, principal: Principal) -> Q:
    """Calls with that outcome, of those that the principal sees. A query for each kind of rows that it looks at."""
    if outcome == CallOutcome.NOTHING:
        others = (each for each in CallOutcome if each != CallOutcome.NOTHING)
        # One by one, which PostgreSQL does by an anti-join each.
        return reduce(and_, (~has_outcome(each, principal) for each in others))
    if outcome == CallOutcome.TRANSFER:
        return Q(end_reason=EndReason.TRANSFERRED)
    rows, of_call = _rows_of(outcome)
    few = list(rows.visible_to(principal).order_by().values_list(of_call, flat=True).distinct()[: MOST_KNOWN + 1])
    if len(few) <= MOST_KNOWN:
        return Q(pk__in=few)
    return Q(Exists(rows.filter(**{of_call: OuterRef("pk")})))


def _rows_of(outcome: str) -> tuple[TenantQuerySet[Any], str]:
    """The rows that make it, and the name of their call."""
    if outcome == CallOutcome.ORDER:
        return standing_orders().filter(call__isnull=False), "call_id"
    if outcome == CallOutcome.APPOINTMENT:
        return Appointment.objects.filter(call__isnull=False).exclude(state=AppointmentState.CANCELED), "call_id"
    return Call.objects.filter(voicemails__isnull=False), "pk"


def outcomes_of(calls: Collection[Call]) -> dict[UUID, list[CallOutcome]]:
    """What the calls of a page brought, in three queries."""
    found: defaultdict[UUID, list[CallOutcome]] = defaultdict(list)
    ids = [call.pk for call in calls]
    for outcome in (CallOutcome.ORDER, CallOutcome.APPOINTMENT, CallOutcome.VOICEMAIL):
        rows, of_call = _rows_of(outcome)
        for call_id in set(rows.filter(**{f"{of_call}__in": ids}).order_by().values_list(of_call, flat=True)):
            found[call_id].append(outcome)
    for call in calls:
        if call.end_reason == EndReason.TRANSFERRED:
            found[call.pk].append(CallOutcome.TRANSFER)
    return found
