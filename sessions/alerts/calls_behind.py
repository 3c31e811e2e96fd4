"""The calls behind an alert: the list of calls shows exactly these where its filter `alert` names it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from uuid import UUID

from django.db.models import Q

from sessions.appointments.models import Appointment
from sessions.calls.models import Call, CallKind, CallQuerySet, CallState, Direction
from sessions.messages.endpoints.models import WebhookAttempt
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.reasons import NOT_SET_UP
from sessions.orders.models import Order

from .kinds import TEXTS, AlertKind
from .models import Alert

MOST_MESSAGES = 5000


def inbound(organization_id: UUID) -> CallQuerySet:
    """Calls by phone that came in, answered or not."""
    return Call.objects.filter(
        organization=organization_id, kind=CallKind.PHONE, direction=Direction.INBOUND
    ).order_by()


def failed_texts(organization_id: UUID, since: dt.datetime, until: dt.datetime) -> Q:
    """Texts that were due in that time and did not arrive, or were not sent because something is not set up."""
    missed = Q(state=TextState.FAILED) | Q(state=TextState.NOT_SENT, reason__in=NOT_SET_UP)
    return missed & Q(organization=organization_id, direction=Direction.OUTBOUND, due_at__gte=since, due_at__lte=until)


def calls_behind(alert: Alert) -> Q:
    """Of its organization's calls. One or two queries of its own where the alert is about deliveries."""
    return Q(organization=alert.organization_id) & BEHIND[AlertKind(alert.kind)](alert)


def _within(alert: Alert) -> Q:
    return Q(created_at__gte=alert.since, created_at__lte=alert.last_at)


def _failed(alert: Alert) -> Q:
    return _within(alert) & Q(state=CallState.FAILED)


def _slow(alert: Alert) -> Q:
    return _within(alert) & Q(slowest_response_ms__gte=int(alert.facts["threshold_ms"]))


def _usual(alert: Alert) -> Q:
    """None came: those that came at the same time of the weeks before."""
    found = Q(pk__in=())
    for week in alert.facts.get("weeks", ()):
        begins, ends = (dt.datetime.fromisoformat(at) for at in week)
        found |= Q(created_at__gte=begins, created_at__lt=ends)
    return found & Q(kind=CallKind.PHONE, direction=Direction.INBOUND)


def _of_number(alert: Alert) -> Q:
    """The last ones that came to it."""
    week = alert.opened_at - dt.timedelta(days=7)
    return Q(dialed_number=alert.facts["number"], created_at__gte=week, created_at__lte=alert.last_at)


def _costly(alert: Alert) -> Q:
    return _within(alert) & Q(cost_usd__gt=0)


def _undelivered(alert: Alert) -> Q:
    if alert.subject == TEXTS:
        texts = Text.objects.filter(failed_texts(alert.organization_id, alert.since, alert.last_at))
        return Q(pk__in=texts.order_by().values("call_id"))
    log = WebhookAttempt.objects.filter(
        message__endpoint=UUID(alert.subject), at__gte=alert.since, at__lte=alert.last_at
    ).exclude(error="")
    about = log.order_by().values_list("message__partition_key", "message__about").distinct()[:MOST_MESSAGES]
    return Q(pk__in=_calls_of({name for names in about for name in names}))


def _calls_of(names: set[str]) -> set[UUID]:
    """Of messages by what they are about, like `order:<id>`, and in whose order, like `<endpoint>|call:<id>`."""
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        noun, _, key = name.rpartition("|")[2].partition(":")
        keys[noun].add(key)
    calls = {UUID(key) for key in keys["call"]}
    for noun, rows in (("order", Order.objects), ("appointment", Appointment.objects)):
        if keys[noun]:
            found = rows.filter(pk__in=keys[noun]).order_by().values_list("call_id", flat=True)
            calls |= {call_id for call_id in found if call_id is not None}
    return calls


BEHIND: Mapping[AlertKind, Callable[[Alert], Q]] = {
    AlertKind.NO_CALLS: _usual,
    AlertKind.FAILED_CALLS: _failed,
    AlertKind.SLOW_RESPONSES: _slow,
    AlertKind.DELIVERY: _undelivered,
    AlertKind.NUMBER: _of_number,
    AlertKind.SPEND: _costly,
}
