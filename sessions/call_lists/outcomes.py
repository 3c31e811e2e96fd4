"""What came of a call, beside the state in which it ended: a call can end well and bring nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Model, Q, QuerySet, TextChoices

from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.models import Order, OrderState

# Orders that were replaced or canceled bring no revenue.
UNPAID = (OrderState.REPLACED, OrderState.CANCELED)


class CallOutcome(TextChoices):
    """A call can have several; NOTHING excludes the others."""

    ORDER = "order"
    APPOINTMENT = "appointment"
    TRANSFER = "transfer", "Transferred to a person"
    VOICEMAIL = "voicemail", "Left a message"
    NOTHING = "nothing", "None of these"


def standing_orders() -> QuerySet[Order]:
    return Order.objects.exclude(state__in=UNPAID)


def has_outcome(outcome: str) -> Q:
    """Calls with that outcome; each is found by a set of keys that the database collects once."""
    if outcome == CallOutcome.NOTHING:
        return ~reduce(or_, (has_outcome(each) for each in CallOutcome if each != CallOutcome.NOTHING))
    if outcome == CallOutcome.TRANSFER:
        return Q(end_reason=EndReason.TRANSFERRED)
    return Q(pk__in=_calls_of(outcome))


def _calls_of(outcome: str) -> QuerySet[Model, UUID | None]:
    if outcome == CallOutcome.ORDER:
        return standing_orders().filter(call__isnull=False).order_by().values_list("call_id", flat=True)
    if outcome == CallOutcome.APPOINTMENT:
        kept = Appointment.objects.exclude(state=AppointmentState.CANCELED)
        return kept.filter(call__isnull=False).order_by().values_list("call_id", flat=True)
    return Call.objects.filter(voicemails__isnull=False).order_by().values_list("pk", flat=True)


def outcomes_of(calls: Collection[Call]) -> dict[UUID, list[CallOutcome]]:
    """What the calls of a page brought, in three queries."""
    found: defaultdict[UUID, list[CallOutcome]] = defaultdict(list)
    ids = [call.pk for call in calls]
    for outcome in (CallOutcome.ORDER, CallOutcome.APPOINTMENT, CallOutcome.VOICEMAIL):
        field = "pk__in" if outcome == CallOutcome.VOICEMAIL else "call__in"
        for call_id in set(_calls_of(outcome).filter(**{field: ids})):
            if call_id is not None:
                found[call_id].append(outcome)
    for call in calls:
        if call.end_reason == EndReason.TRANSFERRED:
            found[call.pk].append(CallOutcome.TRANSFER)
    return found
