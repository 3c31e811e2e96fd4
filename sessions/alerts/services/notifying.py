"""Tells people of an alert: by e-mail, text and webhook, each by its outbox, in the transaction that makes it true."""

from __future__ import annotations

import enum

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import translation

from agents.organizations.models import Membership
from agents.organizations.roles import Role
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.recipients import listed
from sessions.alerts.wording import explanation_of, happened
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import announce_event, utc_ms
from sessions.messages.outbox import outbox
from sessions.messages.texts.kinds import TextKind
from sessions.messages.texts.models import Text
from sessions.messages.texts.services.queueing import queue_text, text_language

MAIL_TOPIC = "alert.mail"
# However many people run an organization.
MOST_MANAGERS = 20


class Occasion(enum.StrEnum):
    RAISED = "raised"
    REMINDER = "reminder"
    RESOLVED = "resolved"


EVENTS = {Occasion.RAISED: WebhookEvent.ALERT_RAISED, Occasion.RESOLVED: WebhookEvent.ALERT_RESOLVED}


def tell(rule: AlertRule, alert: Alert, occasion: Occasion, *, is_quiet: bool = False) -> None:
    """Nobody waits for another one: each message has its own row. `is_quiet`: software only, no people."""
    if rule.sends_webhooks and occasion in EVENTS:
        announce_event(
            EVENTS[occasion],
            organization_id=alert.organization_id,
            about=about(alert),
            data=lambda: data_of(alert),
        )
    if is_quiet:
        return
    for address in addresses_of(rule):
        outbox.enqueue(
            MAIL_TOPIC,
            partition_key=f"{about(alert)}|{address}"[:128],
            body={"alertId": str(alert.pk), "to": address, "occasion": occasion.value, "number": alert.reminders},
            organization=alert.organization,
            about=about(alert),
        )
    for number in listed(rule.numbers):
        queue_text(
            alert.organization,
            to=number,
            kind=TextKind.ALERT_RESOLVED if occasion is Occasion.RESOLVED else TextKind.ALERT,
            fields={"alert": title_in_text(alert), "link": page_url(alert)},
            key=f"{about(alert)}:{occasion.value}:{alert.reminders}:{number}",
            about=str(alert.pk),
        )


def text_is_true(text: Text) -> bool:
    """Whether what a text says of an alert still is when it is sent."""
    return Alert.objects.unresolved().filter(pk=text.about).exists()


def about(alert: Alert) -> str:
    return f"alert:{alert.pk}"


def addresses_of(rule: AlertRule) -> list[str]:
    """Each once."""
    managers = managers_of(rule).values_list("user__email", flat=True)
    return list(dict.fromkeys((*managers, *listed(rule.emails))))


def managers_of(rule: AlertRule) -> QuerySet[Membership]:
    """Those who run the organization and have an address, if the rule tells them."""
    if not rule.mails_managers:
        return Membership.objects.none()
    run_it = Q(role__in=(Role.OWNER, Role.MANAGER), user__is_active=True) & ~Q(user__email="")
    return Membership.objects.filter(run_it, organization=rule.organization_id).order_by("pk")[:MOST_MANAGERS]


def language_of(alert: Alert) -> str:
    """In which people are notified by e-mail: the organization's own, else that of its country."""
    return alert.organization.language or text_language(alert.organization, None)


def title_in_text(alert: Alert) -> str:
    """In the language of the words around it."""
    with translation.override(text_language(alert.organization, None)):
        return str(alert)


def page_url(alert: Alert) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse('admin:voice_sessions_alert_change', args=(alert.pk,))}"


def calls_url(alert: Alert) -> str:
    return f"{settings.PUBLIC_BASE_URL}{calls_path(alert)}"


def calls_path(alert: Alert) -> str:
    """The list of calls that shows exactly those behind the alert."""
    return f"{reverse('admin:voice_sessions_call_changelist')}?alert={alert.pk}"


def data_of(alert: Alert) -> dict[str, object]:
    """What endpoints receive (docs/reference/webhooks.md#alerts), in English."""
    with translation.override("en"):
        return {
            "id": str(alert.pk),
            "orgId": str(alert.organization_id),
            "kind": alert.kind,
            "subject": alert.about,
            "title": str(alert),
            "what": happened(alert),
            "nextStep": str(explanation_of(alert).fix),
            "count": alert.count,
            "firstAt": utc_ms(alert.opened_at),
            "lastAt": utc_ms(alert.last_at),
            "resolvedAt": utc_ms(alert.resolved_at) if alert.resolved_at else None,
            "pageUrl": page_url(alert),
            "callsUrl": calls_url(alert),
        }
