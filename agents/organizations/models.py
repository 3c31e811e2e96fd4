"""The tenant, and the people who work in it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
import zoneinfo
from decimal import Decimal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from voiceapp.core.countries import country_names, country_of
from voiceapp.core.translations.names import CONSOLE_LANGUAGES

from .auditing import Audited
from .principal import KEY_PREFIX
from .roles import Role
from .scopes import Scope
from .tenancy import TenantModel, TenantQuerySet
from .trades import AgentDefaults, Trade, agent_defaults, language_of


def validate_time_zone(name: str) -> None:
    """Accept only names of the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            gettext("“%(name)s” is not a time zone. Use a name like Europe/Berlin."), params={"name": name}
        )


def validate_country(code: str) -> None:
    """Accept the ISO 3166 codes of countries whose phone numbers can be read."""
    if code not in country_names():
        raise ValidationError(gettext("“%(code)s” is not a country. Use two letters, like DE."), params={"code": code})


class VoicemailUse(models.TextChoices):
    """Which callers may leave a message."""

    OFF = "off", _("Never")
    UNANSWERED = "unanswered", _("If the AI provider fails, or nobody answers a transfer")
    ALWAYS = "always", _("Also outside the opening hours, and while the agent is paused")


class Organization(TenantModel):
    """A business whose phone is answered. Everything else belongs to one."""

    tenant_path = "id"
    audited = Audited()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    trade = models.CharField(
        _("type of business"),
        max_length=16,
        choices=Trade.choices,
        default=Trade.RESTAURANT,
        help_text=_("Sets the tools, prompt and greeting of new agents."),
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[validate_country],
        help_text=_("Phone numbers without a country code are numbers of this country."),
    )
    language = models.CharField(
        _("language of the console and call page"),
        max_length=2,
        blank=True,
        choices=CONSOLE_LANGUAGES,
        help_text=_("Each person can choose another one. Leave empty to follow each browser."),
    )
    currency = models.CharField(
        max_length=3,
        default="USD",
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Enter three capital letters, like EUR."))],
    )
    tax_percent = models.DecimalField(
        _("tax (%)"),
        max_digits=6,
        decimal_places=3,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    prices_include_tax = models.BooleanField(default=False)
    max_live_calls = models.PositiveIntegerField(
        _("maximum concurrent calls"), default=20, help_text=_("Further callers hear that all lines are busy.")
    )
    takes_orders = models.BooleanField(default=True, help_text=_("When off, agents answer calls but submit no orders."))
    largest_order_total = models.DecimalField(
        _("maximum order total"),
        max_digits=10,
        decimal_places=2,
        default=Decimal(1000),
        help_text=_("Callers with a larger order are transferred to a person."),
    )
    clerk_id = models.CharField(
        max_length=100,
        unique=True,
        null=True,
        blank=True,
        verbose_name=_("Clerk organization ID"),
        help_text=_("Like org_…. People who sign in with Clerk for it act for this organization."),
    )
    closed_message = models.CharField(
        max_length=300, blank=True, help_text=_("Said to callers outside the opening hours.")
    )
    voicemail = models.CharField(
        _("callers may leave a message"), max_length=10, choices=VoicemailUse.choices, default=VoicemailUse.UNANSWERED
    )
    voicemail_greeting = models.CharField(
        max_length=300,
        blank=True,
        help_text=_("Said before the tone. Leave empty for a sentence in the agent's language."),
    )
    voicemail_email = models.EmailField(
        _("voicemail e-mail address"), blank=True, help_text=_("Messages are sent to this address, with the audio.")
    )
    deletes_voicemail_at_carrier = models.BooleanField(
        _("delete voicemail at Twilio"), default=False, help_text=_("As soon as the audio is stored here.")
    )
    voicemail_days = models.PositiveIntegerField(
        _("delete voicemail after (days)"),
        default=90,
        help_text=_("The audio, here and at Twilio, and the transcript. 0: never."),
    )
    two_factor_roles = models.JSONField(_("two-factor sign-in is required of"), default=list, blank=True)
    deletes_recordings_at_provider = models.BooleanField(
        _("delete recordings at Twilio and VAPI"),
        default=False,
        help_text=_("As soon as the audio is stored here. At VAPI this deletes the whole call."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["Organization"].as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("organization")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def region(self) -> str:
        """Whose notation of phone numbers people use here (ISO 3166); empty where nothing says which."""
        return self.country or country_of(self.time_zone, self.currency)

    def agent_defaults(self, *, language: str = "") -> AgentDefaults:
        """What a new agent begins with, in that language or the country's."""
        return agent_defaults(self.name, Trade(self.trade), language=language or language_of(self.region))


class Membership(TenantModel):
    """A person's place in an organization."""

    audited = Audited()

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.STAFF)

    objects = TenantQuerySet["Membership"].as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(fields=("organization", "user"), name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class UserSettings(models.Model):
    """What a person has chosen for themselves, wherever they work."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="settings")
    language = models.CharField(max_length=2, blank=True, choices=CONSOLE_LANGUAGES)

    class Meta:
        verbose_name_plural = _("user settings")

    def __str__(self) -> str:
        return gettext("Settings of %(user)s") % {"user": self.user}


PREFIX_LENGTH = 10
# va_<prefix>_<256 bits in base64url>: known by its looks, so that a leaked one can be searched for.
KEY_PATTERN = re.compile(r"va_(?P<prefix>[a-z0-9]{10})_(?P<secret>[A-Za-z0-9_-]{43})")


def all_scopes() -> list[str]:
    return [str(scope) for scope in Scope]


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    """Reads of keys."""

    def usable(self, now: dt.datetime) -> ApiKeyQuerySet:
        return self.filter(models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=now), revoked_at__isnull=True)


class ApiKey(TenantModel):
    """A key of an organization. Of its secret only the hash is kept: 256 random bits need no slow one."""

    audited = Audited(ignored=frozenset({"last_used_at"}))

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    secret_sha256 = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=all_scopes)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text=_("Leave empty for a key that does not expire."))
    last_used_at = models.DateTimeField(null=True, editable=False, help_text=_("Accurate to the minute."))
    revoked_at = models.DateTimeField(null=True, editable=False)
    replaced_by = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        related_name="replaces",
        editable=False,
        help_text=_("The key created by rotating this one."),
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("API key")

    def __str__(self) -> str:
        return f"{self.name} (va_{self.prefix}_…)"

    @property
    def subject(self) -> str:
        """How rows name the key as their owner."""
        return f"{KEY_PREFIX}{self.prefix}"

    def is_usable(self, now: dt.datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
