"""How long the kitchen takes, who is alarmed about an order that nobody accepts, and what came of each alarm."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.transfers.models import TransferTarget
from agents.transfers.numbers import check_target_number
from sessions.orders.models import Order

BUSY_MINUTES = 15
LONGEST_PREP_MINUTES = 240
SHORTEST_ALARM_S, LONGEST_ALARM_S = 15, 3600
# What is told to callers is a multiple of these minutes: “at 7:05 pm”, not “at 7:03 pm”.
STEP = dt.timedelta(minutes=5)


class AlarmBy(models.TextChoices):
    CALL = "call", _("Phone call")
    TEXT = "text", _("Text (SMS)")


class BoardSettings(TenantModel):
    """The board of one organization. Without a row the defaults hold: no time is promised, nobody is alarmed."""

    audited = Audited()

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="order_board")
    prep_minutes = models.PositiveIntegerField(
        _("preparation time (minutes)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_PREP_MINUTES)],
        help_text=_("The agent tells callers when an order will be ready. Empty: it names no time."),
    )
    busy_minutes = models.PositiveIntegerField(
        _("more time while busy (minutes)"), default=BUSY_MINUTES, validators=[MaxValueValidator(LONGEST_PREP_MINUTES)]
    )
    busy_until = models.DateTimeField(null=True, blank=True, help_text=_("Set on the order board."))
    alarm_after_s = models.PositiveIntegerField(
        _("alarm after (seconds)"),
        default=0,
        validators=[MaxValueValidator(LONGEST_ALARM_S)],
        help_text=f"When nobody accepts an order for so long, a person is called or texted once. 0: never. "
        f"At least {SHORTEST_ALARM_S}.",
    )
    alarm_by = models.CharField(_("alarm by"), max_length=4, choices=AlarmBy.choices, default=AlarmBy.CALL)
    alarm_target = models.ForeignKey(
        TransferTarget,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="order_boards",
        verbose_name=_("who is alarmed"),
        help_text=_("One of the transfer targets."),
    )

    objects = TenantQuerySet["BoardSettings"].as_manager()

    class Meta:
        verbose_name = _("order board settings")
        verbose_name_plural = _("order board settings")

    def __str__(self) -> str:
        return gettext("Order board of %(organization)s") % {"organization": self.organization}

    def clean(self) -> None:
        if not self.alarm_after_s:
            return
        if self.alarm_after_s < SHORTEST_ALARM_S:
            raise ValidationError(
                {
                    "alarm_after_s": gettext("Enter 0, or at least %(shortest_alarm_s)s seconds.")
                    % {"shortest_alarm_s": SHORTEST_ALARM_S}
                }
            )
        if self.alarm_target is None:
            raise ValidationError({"alarm_target": gettext("Choose who is alarmed, or set the seconds to 0.")})
        try:
            check_target_number(self.alarm_target.number, self.alarm_target.organization)
        except ValidationError as exc:
            raise ValidationError({"alarm_target": exc.messages}) from exc

    def is_busy(self, now: dt.datetime) -> bool:
        return self.busy_until is not None and self.busy_until > now

    def minutes(self, now: dt.datetime) -> int | None:
        """How long an order takes that is placed now; None where no time is promised."""
        if self.prep_minutes is None:
            return None
        return self.prep_minutes + (self.busy_minutes if self.is_busy(now) else 0)

    def ready_at(self, now: dt.datetime, *, drive_minutes: int = 0) -> dt.datetime | None:
        """When it will be ready, or at its customer's after the drive: the next five minutes after that."""
        minutes = self.minutes(now)
        if minutes is None:
            return None
        at = now + dt.timedelta(minutes=minutes + drive_minutes)
        since_epoch = at - dt.datetime.fromtimestamp(0, dt.UTC)
        return at + (-since_epoch % STEP)


def board_settings_of(organization: Organization) -> BoardSettings:
    """The organization's settings, or the defaults."""
    found = BoardSettings.objects.select_related("alarm_target").filter(organization=organization).first()
    return found or BoardSettings(organization=organization)


class AlarmState(models.TextChoices):
    """What came of an alarm. A text's own state says more (its page)."""

    WAITING = "waiting", _("Being sent")
    RINGING = "ringing", _("Ringing")
    ANSWERED = "answered", _("Answered")
    NOT_ANSWERED = "not_answered", _("Not answered")
    TEXTED = "texted", _("Text sent")
    FAILED = "failed", _("Not sent")


class OrderAlarm(TenantModel):
    """The one alarm of an order that nobody had accepted in time.

    `calling_since` is committed before the request to the carrier: a worker that takes over from a killed one looks up
    whether the call was placed.
    """

    tenant_path = "order__organization_id"

    order = models.OneToOneField(Order, models.CASCADE, related_name="alarm")
    by = models.CharField(max_length=4, choices=AlarmBy.choices)
    name = models.CharField(max_length=80, help_text=_("Who is alarmed."))
    number = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=AlarmState.choices, default=AlarmState.WAITING)
    failure = models.CharField(max_length=200, blank=True)
    calling_since = models.DateTimeField(null=True, editable=False)
    call_sid = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["OrderAlarm"].as_manager()

    class Meta:
        verbose_name = _("order alarm")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return gettext("Alarm of %(order)s") % {"order": self.order}
