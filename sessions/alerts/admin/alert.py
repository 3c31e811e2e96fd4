"""Alerts: what happened, why, what to do, which calls; snoozed and taken care of by a click."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.hours.local_time import when_of
from agents.organizations.access import access_of
from agents.organizations.roles import Area, Power
from agents.tenant_admin.buttons import Button, PageLink
from agents.tenant_admin.tenant import ReadOnlyAdmin
from agents.tenant_admin.theme import display
from sessions.alerts.calls_behind import calls_behind
from sessions.alerts.kinds import TEXTS, AlertKind
from sessions.alerts.models import Alert, AlertRule
from sessions.alerts.services import handling
from sessions.alerts.services.notifying import calls_path
from sessions.alerts.wording import explanation_of, happened
from sessions.calls.admin.display import end_reason_text
from sessions.calls.models import Call
from sessions.messages.texts.models import TextState

Status = Alert.Status
COLORS: Mapping[str, str] = {Status.OPEN: "danger", Status.SNOOZED: "warning", Status.RESOLVED: "success"}
ALL = "all"
# Calls that stand on the page itself.
FEW = 5


class StatusFilter(admin.SimpleListFilter):
    """Without a choice: what is not over."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:
        return [*((each.value, each.label) for each in Status), (ALL, _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext("Open and snoozed")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        now, alerts = timezone.now(), Alert.objects.filter(pk__in=queryset.order_by().values("pk"))
        match self.value():
            case Status.OPEN:
                return queryset.filter(pk__in=alerts.open(now).order_by().values("pk"))
            case Status.SNOOZED:
                return queryset.filter(resolved_at=None, snoozed_until__gt=now)
            case Status.RESOLVED:
                return queryset.exclude(resolved_at=None)
            case "all":
                return queryset
        return queryset.filter(resolved_at=None)


def is_unresolved(alert: Alert) -> bool:
    return alert.is_unresolved


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin[Alert]):
    """What a rule has noticed. Nobody edits it."""

    area = Area.ALERTS
    list_display = ("named", "status_label", "what", "opened_at", "last_at", "count", "organization")
    list_filter = (StatusFilter, "kind", "opened_at", "organization")
    list_select_related = ("organization",)
    search_fields = ("subject_name",)
    ordering = ("-opened_at",)
    readonly_fields = ("status_label", "what", "cause", "fix", "calls", "noticed", "snoozed", "cared_for", "over")
    buttons = (
        Button("acknowledge", _("I take care of it"), "acknowledge", icon="front_hand", style="primary",
               is_offered=lambda alert: alert.is_unresolved and alert.acknowledged_at is None),
        Button("snooze-hour", _("Snooze for an hour"), "snooze_hour", icon="snooze", is_offered=is_unresolved),
        Button("snooze-tomorrow", _("Snooze until tomorrow"), "snooze_until_tomorrow", icon="bedtime",
               is_offered=is_unresolved),
        Button("snooze-days", _("Snooze for days"), "snooze_days", icon="date_range", prompt=_("Number of days"),
               is_offered=is_unresolved),
        Button("wake", _("End the snooze"), "wake", icon="notifications_active",
               is_offered=lambda alert: alert.status == Status.SNOOZED),
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Alert | None = None) -> tuple[str, ...]:
        """What has not happened to it has no line."""
        if obj is None:
            return self.readonly_fields
        happened_to_it = {
            "snoozed": obj.status == Status.SNOOZED,
            "cared_for": obj.acknowledged_at is not None,
            "over": obj.resolved_at is not None,
        }
        return (*(each for each in self.readonly_fields if happened_to_it.get(each, True)), "organization")

    @display(description=_("alert"), ordering="kind")
    def named(self, alert: Alert) -> str:
        return str(alert)

    @display(description=_("status"), label=COLORS)
    def status_label(self, alert: Alert) -> tuple[str, str]:
        return alert.status.value, str(alert.status.label)

    @display(description=_("what happened"))
    def what(self, alert: Alert) -> str:
        return happened(alert)

    @display(description=_("usual cause"))
    def cause(self, alert: Alert) -> str:
        return str(explanation_of(alert).cause)

    @display(description=_("what to do"))
    def fix(self, alert: Alert) -> str:
        return str(explanation_of(alert).fix)

    @display(description=_("calls behind it"))
    def calls(self, alert: Alert) -> str:
        """How many, with the way to all of them, and the last few."""
        found = Call.objects.filter(calls_behind(alert))
        count = found.count()
        if not count:
            return gettext("None.")
        named = ngettext("%(count)s call", "%(count)s calls", count) % {"count": count}
        if alert.kind == AlertKind.NO_CALLS:
            named = gettext("None came. At this time of the weeks before: %(calls)s") % {"calls": named}
        last = found.select_related("organization").order_by("-created_at")[:FEW]
        rows = format_html_join("", '<li><a class="va-link" href="{}">{}</a> {}</li>', map(line_of, last))
        return format_html(
            '<a class="va-link" href="{}">{}</a><ul class="va-list">{}</ul>', calls_path(alert), named, rows
        )

    @display(description=_("noticed"))
    def noticed(self, alert: Alert) -> str:
        times = {"first": when_of(alert, alert.opened_at), "last": when_of(alert, alert.last_at), "count": alert.count}
        return ngettext(
            "%(first)s", "%(count)s times: first %(first)s, last %(last)s", alert.count
        ) % times  # fmt: skip

    @display(description=_("snoozed"))
    def snoozed(self, alert: Alert) -> str:
        facts = {"time": when_of(alert, alert.snoozed_until), "who": alert.snoozed_by}
        return gettext("Until %(time)s, by %(who)s. Nobody is notified or reminded until then.") % facts

    @display(description=_("taken care of"))
    def cared_for(self, alert: Alert) -> str:
        facts = {"time": when_of(alert, alert.acknowledged_at), "who": alert.acknowledged_by}
        return gettext("By %(who)s, since %(time)s. Nobody is reminded any more.") % facts

    @display(description=_("over"))
    def over(self, alert: Alert) -> str:
        return f"{when_of(alert, alert.resolved_at)}. {alert.get_resolution_display()}."

    def page_links(self, request: HttpRequest, row: Alert) -> tuple[PageLink, ...]:
        access = access_of(request)
        wanted = [
            (Area.CALLS, PageLink(gettext("Calls behind it"), "call", calls_path(row))),
            *((area, link) for area, link in more_links(row)),
            (Area.ALERTS, PageLink(gettext("The rule"), "tune", rule_path(row))),
        ]
        return tuple(link for area, link in wanted if access.may(area, Power.VIEW, row.organization_id))

    # Buttons

    def acknowledge(self, request: HttpRequest, alert: Alert, _text: str) -> str:
        if handling.acknowledge(alert, by=request.user.get_username(), now=timezone.now()):
            return gettext("You take care of it. Nobody is reminded of it any more.")
        return gettext("%(who)s takes care of it already.") % {"who": alert.acknowledged_by}

    def snooze_hour(self, request: HttpRequest, alert: Alert, _text: str) -> str:
        return self._snooze(request, alert, timezone.now() + handling.ONE_HOUR)

    def snooze_until_tomorrow(self, request: HttpRequest, alert: Alert, _text: str) -> str:
        return self._snooze(request, alert, handling.days_from(alert, timezone.now(), 1))

    def snooze_days(self, request: HttpRequest, alert: Alert, text: str) -> str:
        return self._snooze(request, alert, handling.days_from(alert, timezone.now(), handling.read_days(text)))

    def _snooze(self, request: HttpRequest, alert: Alert, until: dt.datetime) -> str:
        handling.snooze(alert, until=until, by=request.user.get_username())
        return gettext("Snoozed until %(time)s.") % {"time": when_of(alert, until)}

    def wake(self, request: HttpRequest, alert: Alert, _text: str) -> str:
        handling.wake(alert)
        return gettext("The alert is open again.")


def line_of(call: Call) -> tuple[str, str, str]:
    """Address, time and end of a call."""
    address = reverse("admin:voice_sessions_call_change", args=(call.pk,))
    return address, when_of(call, call.created_at), end_reason_text(call)


def more_links(alert: Alert) -> Iterator[tuple[Area, PageLink]]:
    """Where the fault is mended, beside its calls."""
    if alert.kind == AlertKind.NUMBER:
        page = reverse("admin:telephony_phonenumber_change", args=(alert.subject,))
        yield Area.NUMBERS, PageLink(gettext("The phone number"), "dialpad", page)
    elif alert.subject == TEXTS:
        page = reverse("admin:voice_sessions_text_changelist")
        yield (
            Area.CALLS,
            PageLink(gettext("Texts that failed"), "sms_failed", f"{page}?state__exact={TextState.FAILED}"),
        )
    elif alert.kind == AlertKind.DELIVERY:
        page = reverse("admin:voice_sessions_outboxmessage_changelist")
        query = urlencode({"endpoint__id__exact": alert.subject})
        yield Area.DELIVERIES, PageLink(gettext("Deliveries"), "outbox", f"{page}?{query}")


def rule_path(alert: Alert) -> str:
    rules = AlertRule.objects.filter(organization=alert.organization_id, kind=alert.kind)
    rule_id = rules.values_list("pk", flat=True).first()
    if rule_id is None:
        return reverse("admin:voice_sessions_alertrule_changelist")
    return reverse("admin:voice_sessions_alertrule_change", args=(rule_id,))
