"""Inviting a person by e-mail, sending it again, withdrawing it, and accepting it once."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.organizations.memberships import user_may_grant
from agents.organizations.models import Membership, Organization
from agents.organizations.roles import Role
from agents.organizations.sign_in import describe_wait
from voiceapp.core.errors import ApplicationError
from voiceapp.core.limits.counting import CountersUnavailable, count
from voiceapp.core.limits.limit import INVITATION
from voiceapp.core.limits.usage import RETRY_AFTER_S

from .links import USED, LinkRefused
from .mail import TOPIC, invitation_mails
from .models import Invitation, end_of_validity, new_nonce

State = Invitation.State
# What a user name may not contain, of what an address may.
NOT_IN_NAMES = re.compile(r"[^\w.@+-]")


class NotYours(ApplicationError):
    """The user who is signed in cannot accept it."""


@transaction.atomic
def invite(organization: Organization, *, email: str, role: Role, by: User) -> Invitation:
    """A worker sends the e-mail. An address that has an open invitation gets it again, with this role.

    The outcome is the same whether or not the address has an account.
    """
    address = email.strip().lower()
    nonce = new_nonce()
    fresh = {
        "role": role, "invited_by": by, "nonce": nonce, "partition_key": nonce, "expires_at": end_of_validity(),
        "state": State.WAITING, "attempts": 0, "due_at": timezone.now(), "last_error": "", "done_at": None,
        "lease_expires_at": None,
    }  # fmt: skip
    invitation, _is_new = Invitation.objects.open().update_or_create(
        organization=organization, email=address, defaults=fresh
    )
    invitation_mails.wake_up_on_commit([TOPIC])
    return invitation


def send_again(invitation: Invitation, *, by: User) -> Invitation:
    """With a new link, which works for seven days; the one before works no longer. Raises ApplicationError."""
    if not invitation.is_open:
        raise ApplicationError(_("This invitation is over. Invite the person anew."))
    count_invitation(invitation.organization)
    return invite(invitation.organization, email=invitation.email, role=Role(invitation.role), by=by)


def revoke(invitation: Invitation) -> None:
    """Its link works no longer. Raises ApplicationError."""
    if not Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
        raise ApplicationError(_("This invitation is over already."))


@transaction.atomic
def accept(invitation: Invitation, *, user: User) -> Membership:
    """Once, however often the button is pressed. Raises LinkRefused and NotYours."""
    organization = invitation.organization
    if not user_may_grant(invitation.invited_by, Role(invitation.role), organization.pk):
        raise LinkRefused(
            _("The person who invited you may not do so any more. Ask an owner of %(organization)s for an invitation.")
            % {"organization": organization.name}
        )
    if Membership.objects.filter(organization=organization, user=user).exists():
        raise NotYours(
            _("You work for %(organization)s already. Only an owner or manager changes your role.")
            % {"organization": organization.name}
        )
    unused = Invitation.objects.open().filter(pk=invitation.pk, nonce=invitation.nonce, expires_at__gt=timezone.now())
    if not unused.update(accepted_at=timezone.now(), accepted_by=user):
        raise LinkRefused(str(USED))
    if not user.is_staff:
        User.objects.filter(pk=user.pk).update(is_staff=True)
    return Membership.objects.create(organization=organization, user=user, role=invitation.role)


@transaction.atomic
def accept_as_new_user(invitation: Invitation, *, first_name: str, last_name: str, password: str) -> User:
    """The user signs in with the invited address. Raises LinkRefused, and NotYours if that name is taken."""
    name = user_name_of(invitation.email)
    taken = NotYours(_("There is an account for this address. Sign in with it, then accept the invitation."))
    if User.objects.filter(username__iexact=name).exists():
        raise taken
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                name, email=invitation.email, password=password, first_name=first_name, last_name=last_name,
                is_staff=True,
            )  # fmt: skip
    except IntegrityError as exc:
        raise taken from exc
    accept(invitation, user=user)
    return user


def user_name_of(email: str) -> str:
    """The address as a user name."""
    return NOT_IN_NAMES.sub("-", email)


def count_invitation(organization: Organization) -> None:
    """Before one is sent. Raises ApplicationError beyond the limit."""
    try:
        usage = count(INVITATION, f"organization:{organization.pk}")
    except CountersUnavailable as exc:
        raise ApplicationError(_("Invitations cannot be counted now. Try again in a few seconds.")) from exc
    if usage.is_exceeded:
        wait_s = usage.retry_after_s or RETRY_AFTER_S
        raise ApplicationError(_("Too many invitations. Try again in %(wait)s.") % {"wait": describe_wait(wait_s)})
