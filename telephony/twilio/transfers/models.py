"""A caller's transfer to a person: the people called one after the other, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.tenancy import TenantModel, TenantQuerySet
from agents.transfers.models import CallerId, IfNobody, TransferMode
from sessions.calls.models import Call
from telephony.twilio.models import MediaStream


class TransferState(models.TextChoices):
    """Where a transfer stands. Those after `talking` are final."""

    WAITING = "waiting", _("The caller waits")
    JOINING = "joining", _("Accepted")
    TALKING = "talking", _("They talk")
    TALKED = "talked", _("They talked")
    NOBODY = "nobody", _("Nobody took the call")
    CALLER_LEFT = "caller_left", _("The caller hung up while waiting")


LIVE_TRANSFERS = (TransferState.WAITING, TransferState.JOINING, TransferState.TALKING)


class Transfer(TenantModel):
    """What one media stream of a call ended with. Each change is a guarded update, made by a webhook or a task."""

    tenant_path = "call__organization_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(Call, models.CASCADE, related_name="transfers")
    stream = models.OneToOneField(MediaStream, models.CASCADE, related_name="transfer")
    return_stream = models.OneToOneField(MediaStream, models.SET_NULL, null=True, related_name="returns_from")
    wanted = models.CharField(max_length=40, help_text=_("The slug of the target or department."))
    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=4, choices=TransferMode.choices)
    if_nobody = models.CharField(_("if nobody answers"), max_length=8, choices=IfNobody.choices)
    summary = models.TextField(blank=True, help_text=_("What the person hears before accepting."))
    state = models.CharField(max_length=12, choices=TransferState.choices, default=TransferState.WAITING)
    failure = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(_("caller seen at"), null=True, help_text=_("When the carrier last sent a request."))
    accepted_at = models.DateTimeField(null=True)
    caller_joined_at = models.DateTimeField(null=True, help_text=_("When the caller entered the conference."))
    joined_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True, help_text=_("When a caller whom no person took was sent on."))

    objects = TenantQuerySet["Transfer"].as_manager()

    class Meta:
        ordering = ("created_at",)
        indexes = [models.Index(fields=("state",), name="live_transfers", condition=models.Q(state__in=LIVE_TRANSFERS))]

    def __str__(self) -> str:
        return gettext("Transfer to %(self)s") % {"self": self.name}

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_TRANSFERS

    @property
    def talk_s(self) -> int | None:
        """Whole seconds for which the person and the caller talked; None if they did not."""
        if self.joined_at is None or self.ended_at is None:
            return None
        return max(round((self.ended_at - self.joined_at).total_seconds()), 0)


class AttemptState(models.TextChoices):
    """What became of one call to a person."""

    PLANNED = "planned", _("Not called")
    DIALING = "dialing", _("Being called")
    RINGING = "ringing", _("Rings")
    ANSWERED = "answered", _("Hears the summary")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    NOT_ACCEPTED = "not_accepted", _("Answered and did not accept")
    NO_ANSWER = "no_answer", _("Did not answer")
    BUSY = "busy", _("Busy")
    REFUSED = "refused", _("The carrier refused the caller ID")
    FAILED = "failed", _("Could not be called")
    CANCELED = "canceled", _("Canceled: the caller hung up")


OPEN_ATTEMPTS = (AttemptState.DIALING, AttemptState.RINGING, AttemptState.ANSWERED)


class TransferAttempt(TenantModel):
    """One call to a person. Name and number are copied, for the target may change."""

    tenant_path = "transfer__call__organization_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transfer = models.ForeignKey(Transfer, models.CASCADE, related_name="attempts")
    position = models.PositiveIntegerField()
    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    number = models.CharField(max_length=16)
    caller_id = models.CharField(_("caller ID"), max_length=12, choices=CallerId.choices)
    is_second_try = models.BooleanField(
        default=False, help_text=_("Made only if the carrier refuses to show the caller's own number.")
    )
    state = models.CharField(max_length=12, choices=AttemptState.choices, default=AttemptState.PLANNED)
    call_sid = models.CharField(_("call SID"), max_length=64, null=True, unique=True)
    prompts = models.PositiveSmallIntegerField(default=0, help_text=_("How often the summary was read."))
    failure = models.CharField(max_length=80, blank=True)
    dialed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    leg_ended_at = models.DateTimeField(null=True, help_text=_("When the carrier said that the person's call is over."))

    objects = TenantQuerySet["TransferAttempt"].as_manager()

    class Meta:
        ordering = ("transfer", "position")
        constraints = [
            models.UniqueConstraint(fields=("transfer", "position"), name="attempts_are_numbered"),
            models.UniqueConstraint(
                fields=("transfer",),
                condition=models.Q(state=AttemptState.ACCEPTED),
                name="one_person_accepts_a_transfer",
            ),
            models.UniqueConstraint(
                fields=("transfer",),
                condition=models.Q(state__in=OPEN_ATTEMPTS),
                name="one_person_is_called_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name
