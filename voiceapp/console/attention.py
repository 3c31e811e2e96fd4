"""What needs attention, for the dashboard: each notice says what to do and links to the place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.fields.json import KT
from django.urls import reverse
from django.utils import timezone

from agents.call_page.models import PUBLIC, CallPage
from agents.configuration.admin.differences import differences
from agents.configuration.models import Agent
from agents.configuration.opening import opening_of
from agents.greetings.models import KeptGreeting
from agents.hours.local_time import when_of
from agents.organizations.access import Access
from agents.organizations.models import Organization
from agents.organizations.roles import Area, Power
from agents.organizations.trades import Trade
from recordings.models import Recording
from sessions.alerts.models import Alert
from sessions.alerts.wording import explanation_of as explanation_of_alert
from sessions.alerts.wording import happened
from sessions.calls.models import Call, CallEvent, CallState
from sessions.messages.endpoints.models import WebhookEndpoint
from sessions.messages.models import OutboxMessage
from sessions.messages.outbox import outbox
from sessions.messages.texts.models import Text, TextState
from sessions.messages.texts.reasons import NOT_SET_UP, explanation_of
from sessions.orders.models import Order, OrderState
from telephony.events.models import ProviderEvent
from telephony.twilio.models import CarrierState, PhoneNumber
from telephony.twilio.voicemail.models import Voicemail

from .call_page.budget_problems import problem_of
from .local_days import LocalDays, link

MOST_ROWS = 8
# A worker takes a message within seconds.
LATE = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Notice:
    text: str
    advice: str
    icon: str
    color: str
    url: str


def notices(access: Access, days: LocalDays) -> list[Notice]:
    """What needs attention, the most urgent first."""
    found = [
        *open_alerts(access),
        *orders_to_accept(access),
        *paused_endpoints(access),
        *delivery_problems(access),
        *event_problems(access),
        *messages_left(access, days),
        *failed_calls(access, days),
        *failed_recordings(access, days),
        *failed_texts(access, days),
    ]
    if access.may(Area.NUMBERS, Power.VIEW):
        found += [*numbers_without_agent(access), *numbers_elsewhere(access)]
    if access.may(Area.AGENTS, Power.VIEW):
        found += [*agent_notices(access), *failed_greetings(access)]
    if access.may(Area.ORGANIZATION, Power.VIEW):
        found += organization_notices(access)
    return found


def open_alerts(access: Access) -> Iterator[Notice]:
    """Not those that somebody has snoozed."""
    if not access.may(Area.ALERTS, Power.VIEW):
        return
    alerts = Alert.objects.visible_to(access.principal(Area.ALERTS)).open(timezone.now())
    for alert in alerts[:MOST_ROWS]:
        yield Notice(str(alert), f"{happened(alert)} {explanation_of_alert(alert).fix}", "notifications", "danger",
                     reverse("admin:voice_sessions_alert_change", args=(alert.pk,)))  # fmt: skip


def orders_to_accept(access: Access) -> Iterator[Notice]:
    """Of any day: an order of yesterday that was not accepted still needs attention."""
    if not access.may(Area.ORDERS, Power.VIEW):
        return
    waiting = Order.objects.visible_to(access.principal(Area.ORDERS)).filter(state=OrderState.SUBMITTED)
    number, oldest = waiting.count(), waiting.order_by("created_at").select_related("organization").first()
    if oldest is not None:
        yield Notice(f"{some(number, 'order')} not accepted yet",
                     f"The oldest is from {when_of(oldest, oldest.created_at)}. Open it, then choose “Accept”.",
                     "receipt_long", "danger",
                     link("voice_sessions_order", state__exact=OrderState.SUBMITTED.value))  # fmt: skip


def paused_endpoints(access: Access) -> Iterator[Notice]:
    """Those that we have paused, not those that a person has."""
    if not access.may(Area.KEYS, Power.VIEW):
        return
    endpoints = WebhookEndpoint.objects.visible_to(access.principal(Area.KEYS))
    for endpoint in endpoints.exclude(paused_at=None).exclude(pause_reason="")[:MOST_ROWS]:
        yield Notice(f"Webhook endpoint {endpoint} is paused",
                     f"{endpoint.pause_reason} Fix the receiver, choose “Resume”, then “Replay all failed”.", "webhook",
                     "danger", reverse("admin:voice_sessions_webhookendpoint_change", args=(endpoint.pk,)))  # fmt: skip


def delivery_problems(access: Access) -> Iterator[Notice]:
    if not access.may(Area.DELIVERIES, Power.VIEW):
        return
    messages = OutboxMessage.objects.visible_to(access.principal(Area.DELIVERIES))
    states = OutboxMessage.State
    page = "voice_sessions_outboxmessage"
    is_failing = Q(state=states.WAITING) & ~Q(last_error="")
    is_late = Q(state=states.WAITING, last_error="", due_at__lt=timezone.now() - LATE)
    is_late &= ~Q(topic__in=outbox.unconfigured_topics() | outbox.topics_with_own_tasks())
    found = messages.filter(state__in=(states.WAITING, states.FAILED)).aggregate(
        failed=Count("id", filter=Q(state=states.FAILED)),
        failing=Count("id", filter=is_failing),
        late=Count("id", filter=is_late),
    )
    if failed := found["failed"]:
        yield Notice(f"{some(failed, 'webhook delivery', 'webhook deliveries')} failed",
                     "The receiver did not accept it. Fix the receiver, then choose “Retry”.", "outbox", "danger",
                     link(page, state__exact=states.FAILED.value))  # fmt: skip
    if number := found["failing"]:
        last_error = messages.filter(is_failing).order_by("-id")[0].last_error
        yield Notice(f"{some(number, 'webhook delivery', 'webhook deliveries')} being retried",
                     f"{last_error} Retries run automatically; “Retry” tries again now.",
                     "outbox", "warning", link(page, state__exact=states.WAITING.value))  # fmt: skip
    if number := found["late"]:
        yield Notice(f"{some(number, 'webhook delivery', 'webhook deliveries')} overdue",
                     "No worker is running. Start one on the server: celery -A voiceapp worker --beat.",
                     "hourglass", "danger", link(page, state__exact=states.WAITING.value))  # fmt: skip


def event_problems(access: Access) -> Iterator[Notice]:
    if not access.may(Area.EVENTS, Power.VIEW):
        return
    events = ProviderEvent.objects.visible_to(access.principal(Area.EVENTS))
    if failed := events.filter(state=ProviderEvent.State.FAILED).count():
        yield Notice(f"{some(failed, 'provider event')} failed",
                     "The worker's log shows the reason. Then choose “Retry”.", "cell_tower", "danger",
                     link("telephony_providerevent", state__exact=ProviderEvent.State.FAILED.value))  # fmt: skip


def messages_left(access: Access, days: LocalDays) -> Iterator[Notice]:
    """Callers who reached no one and left a message that nobody has heard, of any day."""
    if not access.may(Area.CALLS, Power.VIEW):
        return
    calls = Call.objects.visible_to(access.principal(Area.CALLS)).select_related("organization")
    unheard = Voicemail.objects.unheard().filter(call=OuterRef("pk"))
    known = Voicemail.objects.filter(recording_sid=OuterRef("sid"))
    left = CallEvent.objects.filter(call=OuterRef("pk"), kind="message_left").annotate(sid=KT("detail__recording_sid"))
    is_new = Exists(unheard) | (days.rows() & Exists(left.filter(~Exists(known))))
    for call in calls.filter(is_new).order_by("-created_at")[:MOST_ROWS]:
        yield Notice(f"A caller left a message at {when_of(call, call.created_at)}",
                     "Listen to it on the call's page, then call the customer back.", "voicemail",
                     "warning", reverse("admin:voice_sessions_call_change", args=(call.pk,)))  # fmt: skip


def failed_calls(access: Access, days: LocalDays) -> Iterator[Notice]:
    if not access.may(Area.CALLS, Power.VIEW):
        return
    calls = Call.objects.visible_to(access.principal(Area.CALLS))
    if failed := calls.filter(days.rows(), state=CallState.FAILED).count():
        yield Notice(f"{some(failed, 'call')} failed today", "Open a call to see the reason and what to do.", "error",
                     "danger", link("voice_sessions_call", state="failed",
                                  created_at__gte=days.first.isoformat()))  # fmt: skip


def failed_recordings(access: Access, days: LocalDays) -> Iterator[Notice]:
    if not access.may(Area.RECORDINGS, Power.VIEW):
        return
    recordings = Recording.objects.visible_to(access.principal(Area.RECORDINGS))
    failed = recordings.filter(state=Recording.State.FAILED, created_at__gte=days.first).count()
    if failed:
        yield Notice(f"{some(failed, 'recording')} failed today", "Open a recording to see the reason.", "mic_off",
                     "warning", link("recordings_recording", state__exact=Recording.State.FAILED.value))  # fmt: skip


def failed_texts(access: Access, days: LocalDays) -> Iterator[Notice]:
    """What did not reach a customer, by cause, and what was not sent because something is not set up."""
    if not access.may(Area.CALLS, Power.VIEW):
        return
    texts = Text.objects.visible_to(access.principal(Area.CALLS)).filter(days.rows())
    missed = texts.filter(Q(state=TextState.FAILED) | Q(state=TextState.NOT_SENT, reason__in=NOT_SET_UP))
    for row in missed.order_by().values("reason").annotate(number_of_texts=Count("id"))[:MOST_ROWS]:
        explanation = explanation_of(row["reason"])
        yield Notice(f"{some(row['number_of_texts'], 'text')} did not reach the customer today",
                     f"{explanation.cause} {explanation.fix}", "sms_failed", "warning",
                     link("voice_sessions_text", reason__exact=row["reason"],
                          created_at__gte=days.first.isoformat()))  # fmt: skip


def failed_greetings(access: Access) -> Iterator[Notice]:
    """Of live versions only: what an earlier one says is heard by nobody."""
    principal = access.principal(Area.AGENTS)
    rows = KeptGreeting.objects.visible_to(principal).filter(state=KeptGreeting.State.FAILED).defer("audio")
    failed = {(row.organization_id, row.greeting): row for row in rows[:50]} if settings.KEEP_GREETINGS else {}
    if not failed:
        return
    agents = (
        Agent.objects.visible_to(principal)
        .exclude(published_version=None)
        .select_related("organization", "published_version")
    )
    for agent in agents[:50]:
        version = agent.published_version
        row = version and failed.get((agent.organization_id, opening_of(version, agent.organization)))
        if version and row:
            yield Notice(f"{agent}: the greeting has no audio, so callers wait for it",
                         f"{row.last_error}. Then choose “Make the greeting audio again”.", "record_voice_over",
                         "warning", reverse("admin:agents_agentversion_change", args=(version.pk,)))  # fmt: skip


def organization_notices(access: Access) -> Iterator[Notice]:
    """Paused orders of those that live on orders, and visitors who should be able to call and cannot."""
    visible = Organization.objects.visible_to(access.principal(Area.ORGANIZATION)).select_related("call_page")
    is_paused, is_public = Q(takes_orders=False, trade=Trade.RESTAURANT), Q(call_page__who_may_call__in=PUBLIC)
    for organization in visible.filter(is_paused | is_public)[:MOST_ROWS]:
        if organization.trade == Trade.RESTAURANT and not organization.takes_orders:
            yield Notice(f"{organization}: orders are paused",
                         "The agent takes no orders. Choose “Resume orders” on its page.", "pause", "warning",
                         reverse("admin:agents_organization_change", args=(organization.pk,)))  # fmt: skip
        page: CallPage | None = getattr(organization, "call_page", None)
        if page is not None and page.is_public and (problem := problem_of(page)):
            yield Notice(
                *problem, "perm_phone_msg", "warning", reverse("admin:agents_callpage_change", args=(page.pk,))
            )


def some(number: int, one: str, many: str = "") -> str:
    """“1 order”, “3 orders”."""
    return f"1 {one}" if number == 1 else f"{number} {many or one + 's'}"


def numbers_without_agent(access: Access) -> list[Notice]:
    """Active phone numbers without a published agent."""
    numbers = PhoneNumber.objects.visible_to(access.principal(Area.NUMBERS)).filter(is_active=True)
    has_default = Q(organization__agents__is_default=True, organization__agents__published_version__isnull=False)
    own = Q(agent__published_version__isnull=False)
    served = numbers.filter(own | (Q(agent__isnull=True) & has_default)).values("pk")
    return [
        Notice(f"{number} has no published agent", "Assign an agent and publish it.",
             "dialpad", "danger", reverse("admin:telephony_phonenumber_change", args=(number.pk,)))
        for number in numbers.exclude(pk__in=served)[:MOST_ROWS]
    ]  # fmt: skip


def numbers_elsewhere(access: Access) -> Iterator[Notice]:
    """Active numbers whose calls Twilio does not send here, as of the last check."""
    numbers = PhoneNumber.objects.visible_to(access.principal(Area.NUMBERS)).filter(is_active=True)
    page = "telephony_phonenumber"
    found = numbers.aggregate(
        elsewhere=Count("id", filter=Q(carrier_state=CarrierState.DIFFERS)),
        missing=Count("id", filter=Q(carrier_state=CarrierState.MISSING)),
    )
    if elsewhere := found["elsewhere"]:
        yield Notice(f"{some(elsewhere, 'phone number')} at Twilio not pointing here",
                     "Its calls or texts do not arrive. Run manage.py sync_phone_numbers on the server.", "dialpad",
                     "danger", link(page, carrier_state__exact=CarrierState.DIFFERS.value))  # fmt: skip
    if missing := found["missing"]:
        yield Notice(f"{some(missing, 'phone number')} not at Twilio",
                     "The Twilio account does not have it: nobody can call it.", "dialpad", "warning",
                     link(page, carrier_state__exact=CarrierState.MISSING.value))  # fmt: skip


def agent_notices(access: Access) -> list[Notice]:
    agents = Agent.objects.visible_to(access.principal(Area.AGENTS)).select_related("published_version")
    found = []
    for agent in agents.order_by(F("published_version").asc(nulls_first=True))[:50]:
        url = reverse("admin:agents_agent_change", args=(agent.pk,))
        if agent.published_version is None:
            found.append(Notice(f"{agent} is not published", "Callers cannot reach it yet.", "publish", "warning", url))
        elif differences(agent.published_version, agent):
            advice = "The draft differs from the live version."
            found.append(Notice(f"{agent} has unpublished changes", advice, "publish", "warning", url))
        if agent.is_paused:
            advice = "Callers hear that nobody can take their call."
            found.append(Notice(f"{agent} is paused", advice, "pause", "warning", url))
    return found[:MOST_ROWS]
