"""One `<Stream>`: when its token was used, and what follows it."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.configuration.models import Agent
from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from sessions.calls.models import Call
from voiceapp.core.phones.field import PhoneNumberField
from voiceapp.core.phones.numbers import show_number, validate_e164
from voiceapp.core.secret_box import SealBroken, seal, unseal


class FollowUp(models.TextChoices):
    """What the `<Connect action>` webhook answers when the stream is over."""

    NOTHING = "", _("None yet")
    HANG_UP = "hang_up", _("Hang up")
    HAND_OVER = "hand_over", _("Transfer to a person")
    FALL_BACK = "fall_back", _("Apologize, then transfer or take a message")


class Step(models.TextChoices):
    """What the caller gets when the stream is over: decided once, from the follow-up, the hours and the numbers."""

    HANG_UP = "hang_up", _("Hang up")
    DIAL = "dial", _("Transfer")
    HOLD = "hold", _("Hold the line for a person")
    BACK_TO_AGENT = "back_to_agent", _("Back to the agent")
    APOLOGIZE_AND_DIAL = "apologize_and_dial", _("Apologize and transfer")
    TAKE_MESSAGE = "take_message", _("Take a message")
    APOLOGIZE_AND_TAKE_MESSAGE = "apologize_and_take_message", _("Apologize and take a message")


class MediaStreamQuerySet(TenantQuerySet["MediaStream"]):
    """Reads of streams."""

    def latest_of(self, call: Call) -> MediaStream | None:
        """The stream that speaks for the call now, or did last."""
        return self.filter(call=call).order_by("-created_at", "-is_return").first()


class MediaStream(TenantModel):
    """A call has one, and another one each time it comes back from a transfer.

    The token in the TwiML is an HMAC over `id`, so a repeated webhook gets the same one; it is redeemed once.
    """

    tenant_path = "call__organization_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(Call, models.CASCADE, related_name="media_streams")
    account_sid = models.CharField(_("account SID"), max_length=64)
    stream_sid = models.CharField(_("stream SID"), max_length=64, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(_("token used at"), null=True)
    ended_at = models.DateTimeField(null=True)
    follow_up = models.CharField(
        _("requested next step"), max_length=10, blank=True, choices=FollowUp.choices, default=FollowUp.NOTHING
    )
    hand_over_to = models.CharField(
        _("requested transfer target"), max_length=40, blank=True, help_text=_("The slug of a transfer target.")
    )
    next_step = models.CharField(max_length=30, blank=True, choices=Step.choices)
    next_target = models.CharField(_("transfer target"), max_length=40, blank=True, help_text=_("Its slug."))
    is_return = models.BooleanField(
        _("after a transfer"),
        default=False,
        help_text=_("The caller came back to the agent: nobody took the transfer."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Lets a transfer show the caller's own number. Removed when the call is over (services/call_tokens.py).
    sealed_call_token = models.TextField(blank=True, editable=False)

    objects = MediaStreamQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=("call",), name="streams_with_a_call_token", condition=~models.Q(sealed_call_token=""))
        ]
        constraints = [
            # Webhooks of a new call may be repeated at once: it begins with one stream.
            models.UniqueConstraint(
                fields=("call",), condition=models.Q(is_return=False), name="one_first_stream_per_call"
            )
        ]

    def __str__(self) -> str:
        return self.stream_sid or str(self.id)

    @property
    def call_token(self) -> str:
        """Empty where there is none, or where none of the secret keys opens it."""
        try:
            return unseal(self.sealed_call_token, place=self.place) if self.sealed_call_token else ""
        except SealBroken:
            return ""

    @call_token.setter
    def call_token(self, token: str) -> None:
        self.sealed_call_token = seal(token, place=self.place) if token else ""

    @property
    def place(self) -> str:
        """What the token is sealed for: moved to another call it cannot be read."""
        return f"call token|{self.call_id}"


class CarrierState(models.TextChoices):
    """Whether Twilio sends a number's calls and texts to us."""

    UNCHECKED = "", _("Not checked")
    IN_STEP = "in_step", _("Points here")
    DIFFERS = "differs", _("Points elsewhere")
    MISSING = "missing", _("Not at Twilio")


class PhoneNumber(TenantModel):
    """One number of an organization, and who answers it."""

    audited = Audited(ignored=frozenset({"carrier_checked_at", "carrier_difference", "carrier_state"}))

    number = PhoneNumberField(max_length=16, unique=True, validators=[validate_e164])
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="phone_numbers")
    agent = models.ForeignKey(
        Agent,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="phone_numbers",
        help_text=_("Leave empty to use the default agent."),
    )
    label = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    carrier_state = models.CharField(
        _("at Twilio"),
        max_length=8,
        blank=True,
        choices=CarrierState.choices,
        default=CarrierState.UNCHECKED,
        editable=False,
    )
    carrier_difference = models.CharField(
        _("difference at Twilio"), max_length=1000, blank=True, editable=False, help_text=_("As of the last check.")
    )
    carrier_checked_at = models.DateTimeField(_("checked at Twilio"), null=True, editable=False)

    objects = TenantQuerySet["PhoneNumber"].as_manager()

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return show_number(self.number)

    @property
    def phone_region(self) -> str:
        return self.organization.region if self.organization_id else ""

    def clean(self) -> None:
        if self.agent is not None and self.agent.organization_id != self.organization_id:
            raise ValidationError(
                {"agent": gettext("This agent belongs to another organization. Choose one of this organization.")}
            )


class NumberCheck(models.Model):
    """The last comparison with Twilio: one row. What belongs to a number is on the number."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    checked_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True, help_text=_("Why Twilio's numbers could not be read."))
    unknown_numbers = models.JSONField(default=list, help_text=_("Twilio's numbers that are not set up here."))

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_number_check")]

    def __str__(self) -> str:
        return gettext("Check at %(checked_at)s") % {"checked_at": f"{self.checked_at:%Y-%m-%d %H:%M}"}
