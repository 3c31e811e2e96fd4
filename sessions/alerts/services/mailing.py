"""The e-mail about an alert: the outbox's handler."""

from __future__ import annotations

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from agents.hours.local_time import when
from sessions.alerts.models import Alert
from sessions.alerts.wording import explanation_of, happened
from sessions.messages.models import OutboxMessage
from voiceapp.core.mail import send_mail
from voiceapp.core.plain_text import one_line

from .notifying import Occasion, calls_url, language_of, page_url


def mail_alert(message: OutboxMessage) -> None:
    """Raises NotConfigured and ProviderError. What is not true any more is not sent: what is over says when it was."""
    alert = Alert.objects.select_related("organization").filter(pk=str(message.body["alertId"])).first()
    occasion = Occasion(str(message.body["occasion"]))
    if alert is None or not still_true(alert, occasion):
        return
    with translation.override(language_of(alert)):
        send_mail(
            to=str(message.body["to"]),
            subject=one_line(subject_of(alert, occasion)),
            body=body_of(alert, occasion),
            name=f"alert-{message.message_id}",
        )


def still_true(alert: Alert, occasion: Occasion) -> bool:
    if occasion is Occasion.RESOLVED:
        return alert.resolved_at is not None
    if alert.resolved_at is not None:
        return False
    is_snoozed = alert.snoozed_until is not None and alert.snoozed_until > timezone.now()
    return occasion is Occasion.RAISED or not (is_snoozed or alert.acknowledged_at)


def subject_of(alert: Alert, occasion: Occasion) -> str:
    facts = {"organization": alert.organization.name, "alert": str(alert)}
    match occasion:
        case Occasion.RESOLVED:
            return _("%(organization)s: over: %(alert)s") % facts
        case Occasion.REMINDER:
            return _("%(organization)s: still: %(alert)s") % facts
    return _("%(organization)s: %(alert)s") % facts


def body_of(alert: Alert, occasion: Occasion) -> str:
    zone, explanation = alert.organization.zone, explanation_of(alert)
    first, last = (when(at, zone, is_zone_named=True) for at in (alert.opened_at, alert.resolved_at or alert.last_at))
    if occasion is Occasion.RESOLVED:
        parts = [
            _("It is over. It began %(first)s and ended %(last)s.") % {"first": first, "last": last},
            happened(alert),
        ]
    else:
        parts = [
            happened(alert),
            _("Noticed first %(first)s.") % {"first": first},
            _("Cause: %(cause)s") % {"cause": explanation.cause},
            _("What to do: %(fix)s") % {"fix": explanation.fix},
        ]
    parts += [
        _("The alert, to snooze it or to say that you take care of it: %(url)s") % {"url": page_url(alert)},
        _("Its calls: %(url)s") % {"url": calls_url(alert)},
    ]
    return "\n\n".join(parts)
