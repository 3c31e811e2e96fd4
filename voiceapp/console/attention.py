"""What waits for a person, for the first page of the admin: each with what to do and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from agents.configuration.admin.differences import differences
from agents.configuration.models import Agent
from agents.hours.local_time import when_of
from agents.organizations.access import Access
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from recordings.models import Recording
from sessions.calls.models import Call, CallState
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.orders.models import Order, OrderState
from telephony.livekit.models import ProviderEvent
from telephony.twilio.models import PhoneNumber

from .today import Today, link

MOST_ROWS = 8
# A worker takes a message within seconds.
LATE = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Need:
    text: str
    advice: str
    icon: str
    color: str
    url: str


def needs(access: Access, today: Today) -> list[Need]:
    """What waits for a person, the worst first."""
    found = [
        *orders_to_accept(access),
        *deliveries_in_trouble(access),
        *events_in_trouble(access),
        *messages_left(access, today),
        *calls_that_failed(access, today),
        *recordings_that_failed(access, today),
    ]
    if access.may(Area.NUMBERS, Power.VIEW):
        found += deaf_numbers(access)
    if access.may(Area.AGENTS, Power.VIEW):
        found += unpublished(access)
    if access.may(Area.ORGANIZATION, Power.VIEW):
        found += orders_paused(access)
    return found


def orders_to_accept(access: Access) -> Iterator[Need]:
    """Of any day: an order of yesterday that nobody accepted is worse, not over."""
    if not access.may(Area.ORDERS, Power.VIEW):
        return
    waiting = Order.objects.visible_to(access.principal(Area.ORDERS)).filter(state=OrderState.SUBMITTED)
    number, oldest = waiting.count(), waiting.order_by("created_at").select_related("organization").first()
    if oldest is not None:
        yield Need(f"{some(number, 'order')} not accepted yet",
                   f"The oldest is of {when_of(oldest, oldest.created_at)}. Open it, then choose “Accept”.",
                   "receipt_long", "danger",
                   link("voice_sessions_order", state__exact=OrderState.SUBMITTED.value))  # fmt: skip


def deliveries_in_trouble(access: Access) -> Iterator[Need]:
    if not access.may(Area.DELIVERIES, Power.VIEW):
        return
    messages = OutboxMessage.objects.visible_to(access.principal(Area.DELIVERIES))
    states = OutboxMessage.State
    page = "voice_sessions_outboxmessage"
    if failed := messages.filter(state=states.FAILED).count():
        yield Need(f"{some(failed, 'delivery', 'deliveries')} failed for good",
                   "The receiver did not take it. Fix the receiver, then choose “Retry”.", "outbox", "danger",
                   link(page, state__exact=states.FAILED.value))  # fmt: skip
    failing = messages.filter(state=states.WAITING).exclude(last_error="")
    if number := failing.count():
        yield Need(f"{some(number, 'delivery', 'deliveries')} failing so far",
                   f"{failing.order_by('-id')[0].last_error} It is tried again by itself; “Retry” does so at once.",
                   "outbox", "warning", link(page, state__exact=states.WAITING.value))  # fmt: skip
    late = messages.filter(state=states.WAITING, last_error="", due_at__lt=timezone.now() - LATE)
    late = late.exclude(topic__in=outbox.unconfigured_topics())
    if number := late.count():
        yield Need(f"{some(number, 'delivery', 'deliveries')} waiting for too long",
                   "No worker takes them. Whoever runs the server starts one: celery -A voiceapp worker --beat.",
                   "hourglass", "danger", link(page, state__exact=states.WAITING.value))  # fmt: skip


def events_in_trouble(access: Access) -> Iterator[Need]:
    if not access.may(Area.EVENTS, Power.VIEW):
        return
    events = ProviderEvent.objects.visible_to(access.principal(Area.EVENTS))
    if failed := events.filter(state=ProviderEvent.State.FAILED).count():
        yield Need(f"{some(failed, 'event')} could not be processed",
                   "The worker's log says why. Then choose “Retry”.", "cell_tower", "danger",
                   link("telephony_providerevent", state__exact=ProviderEvent.State.FAILED.value))  # fmt: skip


def messages_left(access: Access, today: Today) -> Iterator[Need]:
    """Callers who got nobody and spoke a message."""
    if not access.may(Area.CALLS, Power.VIEW):
        return
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).filter(today.rows())
    for call in calls.filter(events__kind="message_left").select_related("organization").distinct()[:MOST_ROWS]:
        yield Need(f"A caller left a message at {when_of(call, call.created_at)}",
                   "Twilio keeps the recording; the call's timeline names it. Ring the caller back.", "voicemail",
                   "warning", reverse("admin:voice_sessions_call_change", args=(call.pk,)))  # fmt: skip


def calls_that_failed(access: Access, today: Today) -> Iterator[Need]:
    if not access.may(Area.CALLS, Power.VIEW):
        return
    calls = Call.objects.visible_to(access.principal(Area.CALLS))
    if failed := calls.filter(today.rows(), state=CallState.FAILED).count():
        yield Need(f"{some(failed, 'call')} failed today", "The call's page says why and what to do.", "error",
                   "danger", link("voice_sessions_call", state__exact="failed",
                                  created_at__gte=today.first.isoformat()))  # fmt: skip


def recordings_that_failed(access: Access, today: Today) -> Iterator[Need]:
    if not access.may(Area.RECORDINGS, Power.VIEW):
        return
    recordings = Recording.objects.visible_to(access.principal(Area.RECORDINGS))
    failed = recordings.filter(state=Recording.State.FAILED, created_at__gte=today.first).count()
    if failed:
        yield Need(f"{some(failed, 'recording')} failed today", "The recording's page says why.", "mic_off",
                   "warning", link("recordings_recording", state__exact=Recording.State.FAILED.value))  # fmt: skip


def orders_paused(access: Access) -> list[Need]:
    organizations = Organization.objects.visible_to(access.principal(Area.ORGANIZATION)).filter(takes_orders=False)
    return [
        Need(f"{organization} takes no orders", "Callers are told so. “Take orders again” on its page ends that.",
             "pause", "warning", reverse("admin:agents_organization_change", args=(organization.pk,)))
        for organization in organizations[:MOST_ROWS]
    ]  # fmt: skip


def some(number: int, one: str, many: str = "") -> str:
    """“1 order”, “3 orders”."""
    return f"1 {one}" if number == 1 else f"{number} {many or one + 's'}"


def deaf_numbers(access: Access) -> list[Need]:
    """Numbers that ring, but that nobody answers."""
    numbers = PhoneNumber.objects.visible_to(access.principal(Area.NUMBERS)).filter(is_active=True)
    has_default = Q(organization__agents__is_default=True, organization__agents__published_version__isnull=False)
    own = Q(agent__published_version__isnull=False)
    heard = numbers.filter(own | (Q(agent__isnull=True) & has_default)).values("pk")
    return [
        Need(f"{number} has no agent that answers", "Give it an agent, and publish the agent.",
             "dialpad", "danger", reverse("admin:telephony_phonenumber_change", args=(number.pk,)))
        for number in numbers.exclude(pk__in=heard)[:MOST_ROWS]
    ]  # fmt: skip


def unpublished(access: Access) -> list[Need]:
    agents = Agent.objects.visible_to(access.principal(Area.AGENTS)).select_related("published_version")
    found = []
    for agent in agents.order_by(F("published_version").asc(nulls_first=True))[:50]:
        url = reverse("admin:agents_agent_change", args=(agent.pk,))
        if agent.published_version is None:
            found.append(Need(f"{agent} was never published", "Callers do not meet it yet.", "publish", "warning", url))
        elif differences(agent.published_version, agent):
            advice = "The draft differs from what callers meet."
            found.append(Need(f"{agent} has unpublished changes", advice, "publish", "warning", url))
        if agent.is_paused:
            advice = "Callers hear that nobody can take their call."
            found.append(Need(f"{agent} is paused", advice, "pause", "warning", url))
    return found[:MOST_ROWS]
