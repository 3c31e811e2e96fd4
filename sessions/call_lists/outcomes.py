"""What came of a call, beside the state in which it ended: a call can end well and bring nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import reduce
from operator import and_
from typing import Any, cast
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantQuerySet
from sessions.appointments.models import Appointment, AppointmentState
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call
from sessions.orders.models import VOID_STATES, Order

# Up to so many calls are looked up by their keys. Of more, each list finds some soon when it asks of call after call.
MOST_KNOWN = 5000


class CallOutcome(TextChoices):
    """A call can have several; NOTHING excludes the others."""

    ORDER = "order"
    APPOINTMENT = "appointment"
    MADE = "made", _("Order or appointment")
    TRANSFER = "transfer", _("Transferred to a person")
    VOICEMAIL = "voicemail", _("Left a message")
    NOTHING = "nothing", _("None of these")


# They say something of the others, and no call has them as its own.
COMBINED = (CallOutcome.MADE, CallOutcome.NOTHING)


def standing_orders() -> TenantQuerySet[Order]:
    return Order.objects.exclude(state__in=VOID_STATES)


def has_outcome(outcome: str) -> Q:
    """Of visible calls those with that outcome. A query for each kind of rows that it looks at."""
    if outcome == CallOutcome.NOTHING:
        others = (each for each in CallOutcome if each not in COMBINED)
        # One by one, which PostgreSQL does by an anti-join each.
        return reduce(and_, (~has_outcome(each) for each in others))
    if outcome == CallOutcome.MADE:
        return has_outcome(CallOutcome.ORDER) | has_outcome(CallOutcome.APPOINTMENT)
    if outcome == CallOutcome.TRANSFER:
        return Q(end_reason=EndReason.TRANSFERRED)
    rows = _rows_of(outcome)
    few = list(rows.order_by().values_list("call_id", flat=True)[: MOST_KNOWN + 1])
    return Q(pk__in=few) if len(few) <= MOST_KNOWN else Q(Exists(rows.filter(call=OuterRef("pk"))))


def _rows_of(outcome: str) -> QuerySet[Any]:
    """The rows that make it, each with its `call`."""
    if outcome == CallOutcome.ORDER:
        return standing_orders().filter(call__isnull=False)
    if outcome == CallOutcome.APPOINTMENT:
        return Appointment.objects.filter(call__isnull=False).exclude(state=AppointmentState.CANCELED)
    messages: Any = Call._meta.get_field("voicemails").related_model  # of a folder above
    return cast("QuerySet[Any]", messages._default_manager.all())


def outcomes_of(calls: Collection[Call]) -> dict[UUID, list[CallOutcome]]:
    """What the calls of a page brought, in three queries."""
    found: defaultdict[UUID, list[CallOutcome]] = defaultdict(list)
    ids = [call.pk for call in calls]
    for outcome in (CallOutcome.ORDER, CallOutcome.APPOINTMENT, CallOutcome.VOICEMAIL):
        rows = _rows_of(outcome).filter(call__in=ids)
        for call_id in set(rows.order_by().values_list("call_id", flat=True)):
            found[call_id].append(outcome)
    for call in calls:
        if call.end_reason == EndReason.TRANSFERRED:
            found[call.pk].append(CallOutcome.TRANSFER)
    return found
