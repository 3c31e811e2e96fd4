"""The rules of an organization, and the alerts that they have raised."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .kinds import SPECS, TEXTS, AlertKind, RuleSpec
from .recipients import LONGEST_LIST, validate_emails

LONGEST_NAME = 150


class AlertRule(TenantModel):
    """One of the six rules of an organization. Each organization has all of them (services/rules.py)."""

    audited = Audited(ignored=frozenset({"evaluated_at"}))

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="alert_rules")
    kind = models.CharField(_("rule"), max_length=16, choices=AlertKind.choices, editable=False)
    is_on = models.BooleanField(_("on"), default=True)
    threshold = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    window = models.PositiveIntegerField(null=True, blank=True)
    mails_managers = models.BooleanField(
        _("e-mail owners and managers"), default=True, help_text=_("Those whose account has an e-mail address.")
    )
    emails = models.CharField(
        _("more e-mail addresses"),
        max_length=LONGEST_LIST,
        blank=True,
        validators=[validate_emails],
        help_text=_("Separated by commas, at most five."),
    )
    numbers = models.CharField(
        _("numbers to text"),
        max_length=LONGEST_LIST,
        blank=True,
        help_text=_("Mobile numbers, separated by commas, at most three."),
    )
    sends_webhooks = models.BooleanField(
        _("send webhooks"),
        default=True,
        help_text=_("To the webhook endpoints that receive alert.raised and alert.resolved."),
    )
    # Who sets it evaluates the organization: so that two workers at once do not.
    evaluated_at = models.DateTimeField(null=True, editable=False, db_index=True)

    objects = TenantQuerySet["AlertRule"].as_manager()

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ("organization", "id")
        constraints = [models.UniqueConstraint(fields=("organization", "kind"), name="one_alert_rule_per_kind")]

    def __str__(self) -> str:
        return str(AlertKind(self.kind).label)

    @property
    def spec(self) -> RuleSpec:
        return SPECS[AlertKind(self.kind)]

    @property
    def period(self) -> dt.timedelta:
        """Its window as a time; none where it has no window."""
        return (self.window or 0) * self.spec.unit


class AlertQuerySet(TenantQuerySet["Alert"]):
    """Reads of alerts. An open one is snoozed for a while, or not."""

    def unresolved(self) -> AlertQuerySet:
        return self.filter(resolved_at=None)

    def open(self, now: dt.datetime) -> AlertQuerySet:
        return self.unresolved().exclude(snoozed_until__gt=now)

    def snoozed(self, now: dt.datetime) -> AlertQuerySet:
        return self.unresolved().filter(snoozed_until__gt=now)


class Alert(TenantModel):
    """That a rule was true: one row from when it was noticed until it was over, however often it was seen.

    `subject` is what it is about, where a rule watches several: a phone number, a webhook endpoint. `facts` are what
    was found last, for its sentence (wording.py).
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        SNOOZED = "snoozed", _("Snoozed")
        RESOLVED = "resolved", _("Resolved")

    class Resolution(models.TextChoices):
        OVER = "over", _("It is over")
        NOTHING_TO_MEASURE = "nothing_to_measure", _("There was nothing to measure for days")
        SWITCHED_OFF = "switched_off", _("The rule was turned off")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="alerts")
    kind = models.CharField(_("alert"), max_length=16, choices=AlertKind.choices)
    subject = models.CharField(max_length=64, blank=True)
    subject_name = models.CharField(_("about"), max_length=LONGEST_NAME, blank=True)
    facts = models.JSONField(default=dict)
    # What was measured when it was noticed first began then.
    since = models.DateTimeField(_("calls since"))
    opened_at = models.DateTimeField(_("noticed first"))
    last_at = models.DateTimeField(_("noticed last"))
    count = models.PositiveIntegerField(_("times noticed"), default=1)
    # When people were notified that it began, and reminded last.
    told_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    reminders = models.PositiveIntegerField(default=0)
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.CharField(max_length=LONGEST_NAME, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=LONGEST_NAME, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=20, choices=Resolution.choices, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-opened_at", "-id")
        indexes = [
            models.Index(fields=("organization", "-opened_at"), name="alert_of_organization"),
            models.Index(fields=("resolved_at",), name="alert_resolved"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "kind", "subject"),
                condition=Q(resolved_at__isnull=True),
                name="one_open_alert_per_subject",
            )
        ]

    def __str__(self) -> str:
        label = str(AlertKind(self.kind).label)
        return f"{label}: {self.about}" if self.about else label

    @property
    def about(self) -> str:
        return str(_("texts to customers")) if self.subject == TEXTS else self.subject_name

    @property
    def status(self) -> Status:
        if self.resolved_at is not None:
            return self.Status.RESOLVED
        is_snoozed = self.snoozed_until is not None and self.snoozed_until > timezone.now()
        return self.Status.SNOOZED if is_snoozed else self.Status.OPEN

    @property
    def is_unresolved(self) -> bool:
        return self.resolved_at is None
