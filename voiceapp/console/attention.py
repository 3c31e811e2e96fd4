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
from django.utils.translation import gettext, ngettext

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
        text = ngettext("%(number)s order not accepted yet", "%(number)s orders not accepted yet", number)
        advice = gettext("The oldest is from %(time)s. Open it, then choose “Accept”.")
        yield Notice(text % {"number": number}, advice % {"time": when_of(oldest, oldest.created_at)},
                     "receipt_long", "danger",
                     link("voice_sessions_order", state__exact=OrderState.SUBMITTED.value))  # fmt: skip


def paused_endpoints(access: Access) -> Iterator[Notice]:
    """Those that we have paused, not those that a person has."""
    if not access.may(Area.KEYS, Power.VIEW):
        return
    endpoints = WebhookEndpoint.objects.visible_to(access.principal(Area.KEYS))
    for endpoint in endpoints.exclude(paused_at=None).exclude(pause_reason="")[:MOST_ROWS]:
        advice = gettext("%(reason)s Fix the receiver, choose “Resume”, then “Replay all failed”.")
        yield Notice(gettext("Webhook endpoint %(endpoint)s is paused") % {"endpoint": endpoint},
                     advice % {"reason": endpoint.pause_reason}, "webhook",
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
        text = ngettext("%(number)s webhook delivery failed", "%(number)s webhook deliveries failed", failed)
        yield Notice(text % {"number": failed},
                     gettext("The receiver did not accept it. Fix the receiver, then choose “Retry”."),
                     "outbox", "danger",
                     link(page, state__exact=states.FAILED.value))  # fmt: skip
    if number := found["failing"]:
        last_error = messages.filter(is_failing).order_by("-id")[0].last_error
        text = ngettext(
            "%(number)s webhook delivery being retried", "%(number)s webhook deliveries being retried", number
        )
        advice = gettext("%(error)s Retries run automatically; “Retry” tries again now.") % {"error": last_error}
        yield Notice(text % {"number": number}, advice,
                     "outbox", "warning", link(page, state__exact=states.WAITING.value))  # fmt: skip
    if number := found["late"]:
        text = ngettext("%(number)s webhook delivery overdue", "%(number)s webhook deliveries overdue", number)
        yield Notice(text % {"number": number},
                     gettext("No worker is running. Start one on the server: celery -A voiceapp worker --beat."),
                     "hourglass", "danger", link(page, state__exact=states.WAITING.value))  # fmt: skip


def event_problems(access: Access) -> Iterator[Notice]:
    if not access.may(Area.EVENTS, Power.VIEW):
        return
    events = ProviderEvent.objects.visible_to(access.principal(Area.EVENTS))
    if failed := events.filter(state=ProviderEvent.State.FAILED).count():
        text = ngettext("%(number)s provider event failed", "%(number)s provider events failed", failed)
        yield Notice(text % {"number": failed},
                     gettext("The worker's log shows the reason. Then choose “Retry”."), "cell_tower", "danger",
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
        text = gettext("A caller left a message at %(time)s") % {"time": when_of(call, call.created_at)}
        yield Notice(text, gettext("Listen to it on the call's page, then call the customer back."), "voicemail",
                     "warning", reverse("admin:voice_sessions_call_change", args=(call.pk,)))  # fmt: skip


def failed_calls(access: Access, days: LocalDays) -> Iterator[Notice]:
    if not access.may(Area.CALLS, Power.VIEW):
        return
    calls = Call.objects.visible_to(access.principal(Area.CALLS))
    if failed := calls.filter(days.rows(), state=CallState.FAILED).count():
        text = ngettext("%(number)s call failed today", "%(number)s calls failed today", failed)
        yield Notice(text % {"number": failed}, gettext("Open a call to see the reason and what to do."), "error",
                     "danger", link("voice_sessions_call", state="failed",
                                  created_at__gte=days.first.isoformat()))  # fmt: skip


def failed_recordings(access: Access, days: LocalDays) -> Iterator[Notice]:
    if not access.may(Area.RECORDINGS, Power.VIEW):
        return
    recordings = Recording.objects.visible_to(access.principal(Area.RECORDINGS))
    failed = recordings.filter(state=Recording.State.FAILED, created_at__gte=days.first).count()
    if failed:
        text = ngettext("%(number)s recording failed today", "%(number)s recordings failed today", failed)
        yield Notice(text % {"number": failed}, gettext("Open a recording to see the reason."), "mic_off",
                     "warning", link("recordings_recording", state__exact=Recording.State.FAILED.value))  # fmt: skip


def failed_texts(access: Access, days: LocalDays) -> Iterator[Notice]:
    """What did not reach a customer, by cause, and what was not sent because something is not set up."""
    if not access.may(Area.CALLS, Power.VIEW):
        return
    texts = Text.objects.visible_to(access.principal(Area.CALLS)).filter(days.rows())
    missed = texts.filter(Q(state=TextState.FAILED) | Q(state=TextState.NOT_SENT, reason__in=NOT_SET_UP))
    for row in missed.order_by().values("reason").annotate(number_of_texts=Count("id"))[:MOST_ROWS]:
        explanation = explanation_of(row["reason"])
        number = row["number_of_texts"]
        text = ngettext(
            "%(number)s text did not reach the customer today",
            "%(number)s texts did not reach the customer today",
            number,
        )
        yield Notice(text % {"number": number},
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
            text = gettext("%(agent)s: the greeting has no audio, so callers wait for it") % {"agent": agent}
            advice = gettext("%(error)s. Then choose “Make the greeting audio again”.") % {"error": row.last_error}
            yield Notice(text, advice, "record_voice_over",
                         "warning", reverse("admin:agents_agentversion_change", args=(version.pk,)))  # fmt: skip


def organization_notices(access: Access) -> Iterator[Notice]:
    """Paused orders of those that live on orders, and visitors who should be able to call and cannot."""
    visible = Organization.objects.visible_to(access.principal(Area.ORGANIZATION)).select_related("call_page")
    is_paused, is_public = Q(takes_orders=False, trade=Trade.RESTAURANT), Q(call_page__who_may_call__in=PUBLIC)
    for organization in visible.filter(is_paused | is_public)[:MOST_ROWS]:
        if organization.trade == Trade.RESTAURANT and not organization.takes_orders:
            text = gettext("%(organization)s: orders are paused") % {"organization": organization}
            yield Notice(
                text,
                gettext("The agent takes no orders. Choose “Resume orders” on its page."),
                "pause",
                "warning",
                reverse("admin:agents_organization_change", args=(organization.pk,)),
            )
        page: CallPage | None = getattr(organization, "call_page", None)
        if page is not None and page.is_public and (problem := problem_of(page)):
            yield Notice(
                *problem, "perm_phone_msg", "warning", reverse("admin:agents_callpage_change", args=(page.pk,))
            )


def numbers_without_agent(access: Access) -> list[Notice]:
    """Active phone numbers without a published agent."""
    numbers = PhoneNumber.objects.visible_to(access.principal(Area.NUMBERS)).filter(is_active=True)
    has_default = Q(organization__agents__is_default=True, organization__agents__published_version__isnull=False)
    own = Q(agent__published_version__isnull=False)
    served = numbers.filter(own | (Q(agent__isnull=True) & has_default)).values("pk")
    return [
        Notice(
            gettext("%(phone_number)s has no published agent") % {"phone_number": number},
            gettext("Assign an agent and publish it."),
            "dialpad",
            "danger",
            reverse("admin:telephony_phonenumber_change", args=(number.pk,)),
        )
        for number in numbers.exclude(pk__in=served)[:MOST_ROWS]
    ]


def numbers_elsewhere(access: Access) -> Iterator[Notice]:
    """Active numbers whose calls Twilio does not send here, as of the last check."""
    numbers = PhoneNumber.objects.visible_to(access.principal(Area.NUMBERS)).filter(is_active=True)
    page = "telephony_phonenumber"
    found = numbers.aggregate(
        elsewhere=Count("id", filter=Q(carrier_state=CarrierState.DIFFERS)),
        missing=Count("id", filter=Q(carrier_state=CarrierState.MISSING)),
    )
    if elsewhere := found["elsewhere"]:
        text = ngettext(
            "%(number)s phone number at Twilio not pointing here",
            "%(number)s phone numbers at Twilio not pointing here",
            elsewhere,
        )
        advice = gettext("Its calls or texts do not arrive. Run manage.py sync_phone_numbers on the server.")
        yield Notice(text % {"number": elsewhere}, advice, "dialpad",
                     "danger", link(page, carrier_state__exact=CarrierState.DIFFERS.value))  # fmt: skip
    if missing := found["missing"]:
        text = ngettext("%(number)s phone number not at Twilio", "%(number)s phone numbers not at Twilio", missing)
        yield Notice(text % {"number": missing},
                     gettext("The Twilio account does not have it: nobody can call it."), "dialpad", "warning",
                     link(page, carrier_state__exact=CarrierState.MISSING.value))  # fmt: skip


def agent_notices(access: Access) -> list[Notice]:
    agents = Agent.objects.visible_to(access.principal(Area.AGENTS)).select_related("published_version")
    found = []
    for agent in agents.order_by(F("published_version").asc(nulls_first=True))[:50]:
        url = reverse("admin:agents_agent_change", args=(agent.pk,))
        named = {"agent": agent}
        if agent.published_version is None:
            text, advice = gettext("%(agent)s is not published"), gettext("Callers cannot reach it yet.")
            found.append(Notice(text % named, advice, "publish", "warning", url))
        elif differences(agent.published_version, agent):
            text = gettext("%(agent)s has unpublished changes")
            advice = gettext("The draft differs from the live version.")
            found.append(Notice(text % named, advice, "publish", "warning", url))
        if agent.is_paused:
            advice = gettext("Callers hear that nobody can take their call.")
            found.append(Notice(gettext("%(agent)s is paused") % named, advice, "pause", "warning", url))
    return found[:MOST_ROWS]
