"""How an organization treats what its callers say: how long it is kept, and whether anything may be deleted now."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.errors import ApplicationError

from .presets import suggested_announcement, suggested_stop_hint

DEFAULT_DAYS = 90
# With 0 callers ask for a person.
STOP_KEYS = [("", _("None")), *((key, key) for key in "123456789")]


class OnHold(ApplicationError):
    """Nothing of the organization may be deleted now."""

    message = _(
        "A legal hold is on: nothing is deleted until it is lifted. Owners and managers can change it under "
        "Settings → Privacy."
    )


class PrivacySettings(TenantModel):
    """Without a row the defaults hold."""

    audited = Audited()

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="privacy_settings")
    announcement = models.CharField(
        max_length=200,
        blank=True,
        help_text=_(
            "Said before the greeting of each call that its agent has recorded, and cannot be interrupted. "
            "Empty: nothing is said."
        ),
    )
    stop_key = models.CharField(
        _("key that stops the recording"),
        max_length=1,
        blank=True,
        choices=STOP_KEYS,
        help_text=_(
            "A caller who presses it on the phone is not recorded any more, and what was recorded of the call is "
            "deleted at once. Callers may also say to the agent that they do not want to be recorded."
        ),
    )
    stop_hint = models.CharField(
        _("sentence about the key"),
        max_length=200,
        blank=True,
        help_text=_("Said to callers on the phone after the announcement. It has to name the key as a number."),
    )
    deletes_declined_words = models.BooleanField(
        _("delete the words, too"),
        default=True,
        help_text=_(
            "Of a caller who does not want to be recorded, nothing that was said is kept in writing either: the "
            "transcript so far is emptied, and nothing more is written into it. Orders and appointments stay. Off: the "
            "transcript is kept."
        ),
    )
    recording_days = models.PositiveIntegerField(
        _("delete recordings after (days)"),
        default=DEFAULT_DAYS,
        validators=[MaxValueValidator(3650)],
        help_text=_(
            "The audio, here and at the provider that recorded it. Transcripts stay. Voicemail has its own days "
            "on the organization's page. 0: never."
        ),
    )
    remembers_callers = models.BooleanField(
        _("know returning callers"),
        default=True,
        help_text=_(
            "A caller who asks for “the usual” gets what this number has ordered most often in the last year. Off: "
            "earlier orders are not looked up."
        ),
    )
    is_on_hold = models.BooleanField(
        _("legal hold"),
        default=False,
        help_text=_("Nothing is deleted while it is on: neither by age nor at a caller's request."),
    )
    hold_reason = models.CharField(
        _("reason for the hold"),
        max_length=200,
        blank=True,
        help_text=_("Such as the name of a case. No caller's data."),
    )

    objects = TenantQuerySet["PrivacySettings"].as_manager()

    class Meta:
        verbose_name = _("privacy settings")
        verbose_name_plural = _("privacy settings")

    def __str__(self) -> str:
        return gettext("Privacy of %(organization)s") % {"organization": self.organization}

    def clean(self) -> None:
        faults: dict[str, str] = {}
        if self.is_on_hold and not self.hold_reason.strip():
            faults["hold_reason"] = gettext("Enter why nothing may be deleted.")
        if self.stop_key:
            country = self.organization.region if self.organization_id else ""
            if not self.announcement.strip():
                example = suggested_announcement(country)
                faults["announcement"] = gettext(
                    "Say that calls are recorded, before you name a key. Such as: %(example)s"
                ) % {"example": example}
            if not re.search(rf"(?<!\d){re.escape(self.stop_key)}(?!\d)", self.stop_hint):
                example = suggested_stop_hint(country, self.stop_key)
                faults["stop_hint"] = gettext(
                    "Name the key %(stop_key)s, for callers cannot know it. Such as: %(example)s"
                ) % {"stop_key": self.stop_key, "example": example}
        if faults:
            raise ValidationError(faults)


def privacy_settings_of(organization: Organization) -> PrivacySettings:
    """The organization's settings, or the defaults."""
    found = PrivacySettings.objects.filter(organization=organization).first()
    return found or PrivacySettings(organization=organization)


def refuse_on_hold(organization: Organization) -> None:
    """Raises OnHold."""
    if privacy_settings_of(organization).is_on_hold:
        raise OnHold
