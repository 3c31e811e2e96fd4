"""What an alert says: what happened in words, the usual cause, and what to do (docs/reference/alerts.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from .kinds import TEXTS, AlertKind
from .models import Alert

K = AlertKind


class Explanation(NamedTuple):
    cause: StrOrPromise
    fix: StrOrPromise


EXPLANATIONS: Mapping[AlertKind, Explanation] = {
    K.NO_CALLS: Explanation(
        _("Often the number does not lead here any more, the carrier has a fault, or a website has a wrong one."),
        _("Call the number yourself. If nobody answers, look at “Phone numbers” and at the carrier's status page."),
    ),
    K.FAILED_CALLS: Explanation(
        _("The AI provider refuses or breaks off calls, the carrier's connection is lost, or a server was stopped."),
        _("Open the calls behind this alert: each has an end reason, which says what to do."),
    ),
    K.SLOW_RESPONSES: Explanation(
        _("The AI provider is slow, a tool takes long, or the server is busy."),
        _("Open a call behind this alert: each slow turn says where its time went. If all wait for the AI provider, "
          "look at its status page."),
    ),
    K.DELIVERY: Explanation(
        _("The receiver of the webhooks does not respond, or refuses them."),
        _("Open the failed deliveries: each has the response. Fix the receiver, then choose “Replay all failed”."),
    ),
    K.NUMBER: Explanation(
        _("Somebody has changed the number's settings at Twilio, or the number was given back."),
        _("Open the number's page and choose “Point here”. If Twilio does not have it, buy it or remove it here."),
    ),
    K.SPEND: Explanation(
        _("More or longer calls than planned, or a dearer model. Calls of strangers on a public call page count, too."),
        _("Look at the dearest calls behind this alert and at the analytics. Raise the budget if this is as planned."),
    ),
}  # fmt: skip
OF_TEXTS = Explanation(
    _("The texting number is not registered, texts are paused, or the carrier refuses them."),
    _("Open the texts that failed: each has its reason and what to do."),
)


def explanation_of(alert: Alert) -> Explanation:
    return OF_TEXTS if alert.subject == TEXTS else EXPLANATIONS[AlertKind(alert.kind)]


def happened(alert: Alert) -> str:
    """A sentence with what was found last."""
    return HAPPENED[AlertKind(alert.kind)](alert, alert.facts)


Facts = Mapping[str, Any]


def _no_calls(alert: Alert, facts: Facts) -> str:
    text = gettext(
        "No call came in for %(hours)s open hours. At this time of this weekday there are usually about %(usual)s."
    )
    return text % facts


def _failed_calls(alert: Alert, facts: Facts) -> str:
    text = gettext("%(failed)s of %(calls)s calls failed within %(period)s (%(percent)s %%).")
    return text % _with_period(facts)


def _slow_responses(alert: Alert, facts: Facts) -> str:
    text = gettext(
        "One response in twenty took %(p95)s s or longer, of %(responses)s responses within %(period)s. "
        "The limit is %(limit)s s."
    )
    p95, limit = (f"{facts[name] / 1000:.1f}" for name in ("p95_ms", "threshold_ms"))
    return text % {**_with_period(facts), "p95": p95, "limit": limit}


def _delivery(alert: Alert, facts: Facts) -> str:
    if alert.subject == TEXTS:
        text = ngettext(
            "%(failed)s text did not reach its customer within %(period)s.",
            "%(failed)s texts did not reach their customers within %(period)s.",
            facts["failed"],
        )
        return text % _with_period(facts)
    named = {"name": alert.subject_name}
    if facts["is_paused"]:
        return (
            gettext("The webhook endpoint %(name)s is paused: it accepted nothing for days, or wants no more.") % named
        )
    return gettext("The webhook endpoint %(name)s accepts no webhooks.") % named


def _number(alert: Alert, facts: Facts) -> str:
    named = {"name": alert.subject_name, "difference": facts["difference"]}
    if facts["state"] == "missing":
        return gettext("%(name)s is not in the Twilio account: nobody can call it.") % named
    return gettext("Twilio does not send the calls or texts of %(name)s here. %(difference)s") % named


def _spend(alert: Alert, facts: Facts) -> str:
    text = ngettext(
        "Calls have cost %(usd)s USD in a day. The budget is %(budget)s USD.",
        "Calls have cost %(usd)s USD in %(days)s days. The budget is %(budget)s USD.",
        facts["days"],
    )
    return text % facts


def _with_period(facts: Facts) -> Facts:
    """“45 minutes”, “24 hours”."""
    minutes = facts["minutes"]
    if minutes >= 120 and minutes % 60 == 0:
        period = ngettext("%(number)s hour", "%(number)s hours", minutes // 60) % {"number": minutes // 60}
    else:
        period = ngettext("%(number)s minute", "%(number)s minutes", minutes) % {"number": minutes}
    return {**facts, "period": period}


HAPPENED: Mapping[AlertKind, Callable[[Alert, Facts], str]] = {
    K.NO_CALLS: _no_calls,
    K.FAILED_CALLS: _failed_calls,
    K.SLOW_RESPONSES: _slow_responses,
    K.DELIVERY: _delivery,
    K.NUMBER: _number,
    K.SPEND: _spend,
}
