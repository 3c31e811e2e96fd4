"""Who may give which role to whom, and that an organization always has an owner."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from voiceapp.core.errors import ApplicationError

from .access import Access, load_access
from .models import Membership, Organization
from .roles import Area, Power, Role

LAST_OWNER: StrOrPromise = _(
    "This is the organization's last owner. Make another person an owner first, then change this one."
)


def may_grant(access: Access, role: Role, organization_id: UUID | None = None) -> bool:
    """Only owners make owners; without an organization: anywhere."""
    area = Area.OWNERS if role == Role.OWNER else Area.PEOPLE
    return access.may(area, Power.EDIT, organization_id)


def user_may_grant(user: User | None, role: Role, organization_id: UUID) -> bool:
    """The same of a user as the user's role is now."""
    return user is not None and may_grant(load_access(user), role, organization_id)


def is_last_owner(membership: Membership) -> bool:
    return membership.role == Role.OWNER and not _owners_beside(membership.organization_id, [membership.pk]).exists()


def keep_an_owner(memberships: Iterable[Membership]) -> None:
    """In the transaction in which these lose their role. Two owners who remove each other at once: one is refused.

    Raises ApplicationError.
    """
    losing: dict[UUID, list[int]] = {}
    for membership in memberships:
        losing.setdefault(membership.organization_id, []).append(membership.pk)
    for organization_id in sorted(losing):
        Organization.objects.select_for_update().filter(pk=organization_id).first()
        had_one = Membership.objects.filter(pk__in=losing[organization_id], role=Role.OWNER).exists()
        if had_one and not _owners_beside(organization_id, losing[organization_id]).exists():
            raise ApplicationError(str(LAST_OWNER))


def _owners_beside(organization_id: UUID, losing: Iterable[int]) -> QuerySet[Membership]:
    owners = Membership.objects.filter(organization_id=organization_id, role=Role.OWNER, user__is_active=True)
    return owners.exclude(pk__in=losing)
