"""Texts (SMS): what was sent and received, who wants none, and the organization's settings and templates."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call, Direction
from voiceapp.core.countries import country_names
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import mask, validate_e164

from .kinds import LANGUAGES, LONGEST_BODY, TextKind
from .quiet_hours import QuietHours
from .reasons import TextReason
from .wording import validate_template

LONGEST_KEY = 160


class TextState(models.TextChoices):
    """Where a text stands. The last four are terminal and never left."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Not delivered")
    NOT_SENT = "not_sent", _("Not sent")
    RECEIVED = "received", _("Received")


class Text(TenantModel):
    """One text. `key` is what it is about: the same key never makes a second one.

    `sending_since` is set before the request to the carrier: a text that has it, but no `provider_sid`, may have been
    accepted, and is looked up before it is sent again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="texts")
    call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="texts")
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.OUTBOUND)
    kind = models.CharField(max_length=30, choices=TextKind.choices, blank=True)
    key = models.CharField(max_length=LONGEST_KEY)
    about = models.CharField(max_length=80, blank=True, help_text=_("The ID of the appointment or order."))
    about_at = models.DateTimeField(null=True, help_text=_("When the appointment begins of which it speaks."))
    # The customer's number and ours, in either direction.
    number = models.CharField(_("customer's number"), max_length=64)
    our_number = models.CharField(_("our number"), max_length=64, blank=True)
    body = models.TextField()
    segments = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=TextState.choices, default=TextState.WAITING)
    reason = models.CharField(max_length=24, blank=True, choices=TextReason.choices)
    carrier_status = models.CharField(_("status at the carrier"), max_length=20, blank=True)
    provider_sid = models.CharField(_("carrier ID"), max_length=64, null=True, unique=True)
    error_code = models.PositiveIntegerField(_("carrier's error code"), null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(default=timezone.now)
    not_after = models.DateTimeField(null=True, help_text=_("Later it is not sent any more."))
    sending_since = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("delivered or failed at"), null=True)

    objects = TenantQuerySet["Text"].as_manager()

    class Meta:
        verbose_name = _("text")
        ordering = ("-created_at",)
        indexes = [
            # What the caps count, and the conversation with a number.
            models.Index(fields=("organization", "due_at"), name="text_of_organization"),
            models.Index(fields=("organization", "sent_at"), name="text_sent_on"),
            models.Index(fields=("organization", "number", "-created_at"), name="text_of_number"),
        ]
        constraints = [models.UniqueConstraint(fields=("organization", "key"), name="one_text_per_key")]

    def __str__(self) -> str:
        return f"{self.get_kind_display() or 'Text'} {mask(self.number)}"

    @property
    def is_inbound(self) -> bool:
        return self.direction == Direction.INBOUND


class OptOut(TenantModel):
    """Whether a number wants texts of an organization: STOP and START, or the carrier's refusal."""

    class Source(models.TextChoices):
        KEYWORD = "keyword", _("Texted us")
        CARRIER = "carrier", _("Reported by the carrier")
        OPERATOR = "operator", _("Entered here")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="opt_outs")
    number = PhoneNumberField(max_length=16, validators=[validate_e164])
    is_out = models.BooleanField(_("opted out"), default=True)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.OPERATOR)
    changed_at = models.DateTimeField(_("since"), default=timezone.now)

    objects = TenantQuerySet["OptOut"].as_manager()

    class Meta:
        verbose_name = _("opt-out")
        ordering = ("-changed_at",)
        constraints = [models.UniqueConstraint(fields=("organization", "number"), name="one_opt_out_per_number")]

    def __str__(self) -> str:
        return mask(self.number)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""


def validate_countries(codes: str) -> None:
    """Accept ISO 3166 codes, separated by commas."""
    for code in filter(None, (each.strip() for each in codes.split(","))):
        if code not in country_names():
            raise ValidationError(
                gettext("“%(code)s” is not a country. Use two letters, like DE."), params={"code": code}
            )


class TextSettings(TenantModel):
    """Which texts an organization sends, to whom and when. Without a row the defaults hold."""

    audited = Audited()

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="text_settings")
    is_on = models.BooleanField(_("send texts"), default=True)
    confirms_orders = models.BooleanField(
        default=False, help_text=_("A text with the order's number, items and total after each order by phone.")
    )
    tells_ready = models.BooleanField(
        _("text when an order is ready"), default=False, help_text=_("Once, 30 seconds after it was marked as ready.")
    )
    tells_refused = models.BooleanField(
        _("text when an order is refused or canceled"),
        default=False,
        help_text=_("Once, 30 seconds later, unless that is undone before. Without it, call the customer."),
    )
    confirms_appointments = models.BooleanField(
        default=True, help_text=_("A text when an appointment is booked, moved or canceled.")
    )
    reminder_hours = models.PositiveIntegerField(
        _("reminder (hours before)"),
        default=24,
        validators=[MaxValueValidator(14 * 24)],
        help_text=_("Hours before an appointment at which its reminder is sent; 0: no reminders."),
    )
    quiet_from = models.TimeField(default=dt.time(21), help_text=_("Reminders wait during these hours."))
    quiet_until = models.TimeField(default=dt.time(8))
    most_per_number = models.PositiveIntegerField(
        _("maximum per number and day"), default=5, help_text=_("Further texts to that number are not sent.")
    )
    most_per_day = models.PositiveIntegerField(_("maximum per day"), default=200)
    countries = models.CharField(
        max_length=120,
        blank=True,
        validators=[validate_countries],
        help_text=_("Texts go to numbers of these countries only, like “DE, AT”. Empty: the organization's country."),
    )
    messaging_service_sid = models.CharField(
        _("Messaging Service SID"),
        max_length=34,
        blank=True,
        validators=[RegexValidator(r"^MG[0-9a-f]{32}$", _("Enter MG and 32 letters and digits, as Twilio shows it."))],
        help_text=_("Twilio sends by this Messaging Service. Empty: from the number that was called."),
    )
    menu_url = models.URLField(_("menu's link"), blank=True, help_text=_("What “text me the menu” sends."))
    answers_help = models.BooleanField(
        _("answer HELP"),
        default=False,
        help_text=_("Twilio answers HELP by itself, in English. Turn this on if you have turned that off."),
    )

    objects = TenantQuerySet["TextSettings"].as_manager()

    class Meta:
        verbose_name = _("text settings")
        verbose_name_plural = _("text settings")

    def __str__(self) -> str:
        return gettext("Texts of %(organization)s") % {"organization": self.organization}

    @property
    def quiet_hours(self) -> QuietHours:
        return QuietHours(self.organization.zone, self.quiet_from, self.quiet_until)


def text_settings_of(organization: Organization) -> TextSettings:
    """The organization's settings, or the defaults."""
    found = TextSettings.objects.filter(organization=organization).first()
    return found or TextSettings(organization=organization)


class TextTemplate(TenantModel):
    """What a text says, in one language. Without a row the default of that language is used."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="text_templates")
    kind = models.CharField(max_length=30, choices=TextKind.choices)
    language = models.CharField(max_length=2, choices=LANGUAGES)
    body = models.TextField(max_length=LONGEST_BODY)

    objects = TenantQuerySet["TextTemplate"].as_manager()

    class Meta:
        verbose_name = _("text template")
        ordering = ("kind", "language")
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "kind", "language"), name="one_text_template_per_kind_and_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_language_display()})"

    def clean(self) -> None:
        if self.kind and self.body:
            try:
                validate_template(TextKind(self.kind), self.body)
            except ValidationError as exc:
                raise ValidationError({"body": exc.messages}) from exc
