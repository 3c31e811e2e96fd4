"""An organization's call page: who may call on it, where it is shown, and what visitors' calls may cost."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet

from .sites import EXAMPLE, read_sites


class CallAccess(models.TextChoices):
    """Who may call, besides the staff, who always may."""

    STAFF = "staff", _("Staff only, signed in")
    LINK = "link", _("Anyone who has the link")
    SITES = "sites", _("Visitors of the websites below, inside these")


PUBLIC = (CallAccess.LINK, CallAccess.SITES)


class CallPage(TenantModel):
    """The settings of `/call/<organization>`. Without a row the defaults hold. Model and voice are the agent's."""

    audited = Audited()

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="call_page")
    who_may_call = models.CharField(
        max_length=10,
        choices=CallAccess.choices,
        default=CallAccess.STAFF,
        help_text=_("Staff always may. Visitors call without signing in, within the limits below."),
    )
    sites = models.TextField(
        _("websites that show the page"),
        blank=True,
        help_text=f"One on each line, like {EXAMPLE}. No other website can show it in a frame.",
    )
    uses_push_to_talk = models.BooleanField(
        _("push-to-talk"),
        default=False,
        help_text=_(
            "The page begins with a closed microphone: callers hold a button, or the space bar, while they talk."
        ),
    )
    daily_budget_usd = models.DecimalField(
        _("daily budget of visitors' calls (USD)"),
        max_digits=8,
        decimal_places=2,
        default=Decimal(10),
        validators=[MinValueValidator(0)],
        help_text=_(
            "What they may cost at the AI provider from midnight to midnight in the organization's time zone. "
            "It is never exceeded: a call begins only if the most that it may cost is left."
        ),
    )
    longest_call_minutes = models.PositiveIntegerField(
        _("maximum duration of a visitor's call (min)"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("The agent says goodbye then. A shorter maximum of the agent itself holds, too."),
    )
    calls_at_once = models.PositiveIntegerField(
        _("maximum concurrent calls of visitors"), default=3, validators=[MaxValueValidator(100)]
    )

    objects = TenantQuerySet["CallPage"].as_manager()

    class Meta:
        verbose_name = _("call page")

    def __str__(self) -> str:
        return gettext("Call page of %(organization)s") % {"organization": self.organization}

    def clean(self) -> None:
        """Raises ValidationError for a website that no browser would compare as it is written."""
        super().clean()
        try:
            self.sites = "\n".join(read_sites(self.sites))
        except ValidationError as exc:
            raise ValidationError({"sites": exc.messages}) from exc
        if self.who_may_call == CallAccess.SITES and not self.sites:
            raise ValidationError({"sites": gettext("Enter the websites whose visitors may call.")})

    @property
    def named_sites(self) -> tuple[str, ...]:
        """Origins."""
        return tuple(self.sites.splitlines())

    @property
    def is_public(self) -> bool:
        return self.who_may_call in PUBLIC


def call_page_of(organization: Organization) -> CallPage:
    """The organization's settings, or the defaults."""
    found = CallPage.objects.filter(organization=organization).first()
    return found or CallPage(organization=organization)
