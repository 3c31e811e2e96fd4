"""An invitation to work for an organization, and the job of sending its e-mail."""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.organizations.auditing import Audited
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.tenancy import TenantModel, TenantQuerySet
from voiceapp.core.jobs.models import Job

VALID_FOR = dt.timedelta(days=7)
# A user name has 150 characters, and the address becomes one.
LONGEST_ADDRESS = 150


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


def end_of_validity() -> dt.datetime:
    return timezone.now() + VALID_FOR


class InvitationQuerySet(TenantQuerySet["Invitation"]):
    """Reads of invitations."""

    def open(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; perhaps expired."""
        return self.filter(accepted_at=None, revoked_at=None)


class Invitation(TenantModel, Job):
    """Its link carries `nonce`, signed. Sending it again makes another nonce, so that only the newest link works.

    The columns of the job are those of the e-mail.
    """

    audited = Audited(ignored=frozenset({"nonce", "expires_at", "invited_by", "accepted_by"}))

    done_label = "Sent"

    topic = models.CharField(max_length=20, default="invitation", editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"), max_length=LONGEST_ADDRESS)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.STAFF)
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    invited_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", editable=False, verbose_name=_("invited by")
    )
    expires_at = models.DateTimeField(_("expires"), default=end_of_validity, editable=False)
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    accepted_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", editable=False, verbose_name=_("accepted by")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            )
        ]
        indexes = [models.Index(fields=("state", "due_at"), name="invitation_due")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        """Neither accepted nor revoked; perhaps expired."""
        return self.accepted_at is None and self.revoked_at is None

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at
