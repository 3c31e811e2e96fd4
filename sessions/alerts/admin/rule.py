"""The six rules of an organization: on or off, when each is true, who is notified, and how often it would have been."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import when_of
from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area
from agents.tenant_admin.forms import TenantForm
from agents.tenant_admin.tenant import TenantAdmin
from agents.tenant_admin.theme import TextInput, display
from agents.transfers.numbers import MESSAGES, why_not_called
from sessions.alerts.kinds import SPECS, AlertKind, Setting
from sessions.alerts.models import AlertRule
from sessions.alerts.preview import DAYS, preview
from sessions.alerts.recipients import listed, read_numbers
from sessions.alerts.services.notifying import managers_of
from sessions.alerts.services.rules import make_missing_rules
from sessions.messages.endpoints.events import WebhookEvent
from sessions.messages.endpoints.services.announcing import endpoints_of
from sessions.messages.texts.models import text_settings_of
from sessions.messages.texts.services.checking import sender_of, why_not
from voiceapp.core.phones.numbers import is_landline, read_number, show_number

# Rules are evaluated once a minute.
LATE = dt.timedelta(minutes=10)


class AlertRuleForm(TenantForm):
    """Its two numbers are named and limited as the kind of rule says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.kind:
            return
        spec = self.instance.spec
        for name, setting in (("threshold", spec.threshold), ("window", spec.window)):
            if name in self.fields and setting is not None:
                field = number_field(setting)
                field.show_hidden_initial = self.fields[name].show_hidden_initial  # for edit_conflicts.py
                self.fields[name] = field
                self.initial[name] = Decimal(shown(setting, getattr(self.instance, name)))

    def clean_numbers(self) -> str:
        organization = self.instance.organization

        def read(typed: str) -> str:
            number = read_number(typed, region=organization.region)
            why = why_not_called(number, organization)
            if why is not None:
                raise ValidationError(MESSAGES.get(why, gettext("This number cannot be texted.")))
            if is_landline(number):
                raise ValidationError(gettext("A landline gets no texts. Enter a mobile number."))
            return number

        return read_numbers(str(self.cleaned_data["numbers"]), read)

    def clean_emails(self) -> str:
        return ", ".join(listed(str(self.cleaned_data["emails"])))


def shown(setting: Setting, value: Decimal | int | None) -> str:
    """With as many digits behind the point as it may have."""
    return f"{setting.default if value is None else value:.{setting.digits}f}"


def number_field(setting: Setting) -> forms.DecimalField:
    """As `setting` limits it."""
    step = "1" if not setting.digits else f"0.{'0' * (setting.digits - 1)}1"
    return forms.DecimalField(
        label=capfirst(str(setting.label)),
        help_text=setting.help_text,
        min_value=setting.least,
        max_value=setting.most,
        decimal_places=setting.digits,
        max_digits=9,
        widget=TextInput(attrs={"type": "number", "step": step, "min": str(setting.least), "max": str(setting.most)}),
        error_messages={"invalid": _("Enter a number."), "required": _("Enter a number.")},
    )


def texted(rule: AlertRule, number: str) -> str:
    """The number, and why no text can go to it now."""
    organization = rule.organization
    reason = why_not(organization, text_settings_of(organization), number, sender=sender_of(organization, None))
    return show_number(number) if reason is None else f"{show_number(number)} ({reason.label})"


@admin.register(AlertRule)
class AlertRuleAdmin(TenantAdmin[AlertRule]):
    """Nobody adds or deletes one: an organization has the six."""

    area = Area.ALERTS
    form = AlertRuleForm
    list_display = ("named", "status_label", "condition", "tells", "organization")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    readonly_fields = ("fires", "notified", "evaluated")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the rules of an organization that was added within the last minute."""
        if self.has_view_permission(request):
            seen = Organization.objects.visible_to(access_of(request).principal(self.area))
            make_missing_rules(Q(pk__in=seen.order_by().values("pk")))
        return super().changelist_view(request, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: AlertRule | None = None) -> Any:
        spec = SPECS[AlertKind(obj.kind)] if obj is not None else None
        numbers = [name for name in ("threshold", "window") if spec is not None and getattr(spec, name) is not None]
        return (
            (None, {"fields": ("is_on", *numbers, "fires", "evaluated")}),
            (_("Who is notified"), {"fields": ("mails_managers", "emails", "numbers", "sends_webhooks", "notified")}),
        )

    @display(description=_("rule"), ordering="kind")
    def named(self, rule: AlertRule) -> str:
        return str(rule)

    @display(description=_("status"), label={"on": "success", "off": "warning"})
    def status_label(self, rule: AlertRule) -> tuple[str, str]:
        return ("on", gettext("On")) if rule.is_on else ("off", gettext("Off"))

    @display(description=_("when"))
    def condition(self, rule: AlertRule) -> str:
        pairs = ((rule.spec.threshold, rule.threshold), (rule.spec.window, rule.window))
        limits = [f"{capfirst(str(setting.label))}: {shown(setting, value)}" for setting, value in pairs if setting]
        return ". ".join(limits) or gettext("As of the last check at Twilio")

    @display(description=_("who is notified"))
    def tells(self, rule: AlertRule) -> str:
        """Without a query for each row."""
        ways = [gettext("Owners and managers")] if rule.mails_managers else []
        ways += [*listed(rule.emails), *map(show_number, listed(rule.numbers))]
        return ", ".join(ways + ([gettext("Webhooks")] if rule.sends_webhooks else [])) or gettext("Nobody")

    @display(description=_("who is notified now"))
    def notified(self, rule: AlertRule) -> str:
        """Everybody, by name, so that nobody has to guess; and who cannot be reached now."""
        by_mail = [*managers_of(rule).values_list("user__username", flat=True), *listed(rule.emails)]
        reached = by_mail
        if not settings.EMAIL_URL:
            reached = [gettext("%(name)s (no mail server)") % {"name": each} for each in by_mail]
        reached += [texted(rule, number) for number in listed(rule.numbers)]
        if rule.sends_webhooks:
            endpoints = endpoints_of(rule.organization_id)
            reached += [each.name for each in endpoints if WebhookEvent.ALERT_RAISED in each.events]
        return ", ".join(reached) or gettext("Nobody: the alert is on its page and on the dashboard only.")

    @display(description=_("evaluated last"))
    def evaluated(self, rule: AlertRule) -> str:
        at, late = when_of(rule, rule.evaluated_at), timezone.now() - LATE
        if rule.evaluated_at is None:
            return gettext("Not yet. A worker does it once a minute.")
        if rule.evaluated_at < late:
            return gettext("%(time)s. No worker is running: nobody is notified of anything.") % {"time": at}
        return at

    @display(description=_("the last seven days"))
    def fires(self, rule: AlertRule) -> str:
        """With what is saved."""
        count = preview(rule, timezone.now())
        if count is None:
            return gettext("There is no record of the past from which this could be worked out.")
        if not count:
            return gettext("It would not have been raised.")
        return ngettext(
            "It would have been raised once in the last %(days)s days.",
            "It would have been raised %(count)s times in the last %(days)s days.",
            count,
        ) % {"count": count, "days": DAYS}
