"""What each role may do in the admin, in which of a user's organizations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

from .models import Membership
from .principal import Principal
from .roles import Area, Power, Role, power_of
from .tenancy import TenantModel


@dataclass(frozen=True, slots=True)
class Access:
    """A user's roles by organization; a superuser needs none."""

    subject: str = ""
    roles: Mapping[UUID, Role] = field(default_factory=dict)
    sees_all: bool = False

    def organizations(self, area: Area, power: Power = Power.VIEW) -> frozenset[UUID]:
        """Where the user has that power."""
        return frozenset(organization for organization, role in self.roles.items() if power_of(role, area) >= power)

    def may(self, area: Area, power: Power, organization_id: UUID | None = None) -> bool:
        """Whether the user has that power there; without an organization: anywhere."""
        if self.sees_all:
            return True
        organizations = self.organizations(area, power)
        return bool(organizations) if organization_id is None else organization_id in organizations

    def principal(self, area: Area, power: Power = Power.VIEW) -> Principal:
        """For `visible_to`: only the rows on which the user has that power."""
        return Principal(self.subject, self.organizations(area, power), self.sees_all)

    def sees_numbers_of(self, organization_id: UUID | None) -> bool:
        """Callers' numbers are shown in full to those who run the place."""
        return self.sees_all or (
            organization_id is not None and self.may(Area.CALLER_NUMBERS, Power.VIEW, organization_id)
        )

    def sees_customers_of(self, organization_id: UUID | None) -> bool:
        """The numbers on orders: also to those who move orders on, for they may have to ring the customer."""
        return self.sees_numbers_of(organization_id) or self.may(Area.ORDERS, Power.OPERATE, organization_id)

    def only_organization(self, area: Area, power: Power) -> UUID | None:
        """The organization that needs no choosing."""
        organizations = self.organizations(area, power)
        return next(iter(organizations)) if len(organizations) == 1 and not self.sees_all else None


def access_of(request: HttpRequest) -> Access:
    """The access of the request's user, read once per request."""
    known: Access | None = getattr(request, "_access", None)
    if known is None:
        known = load_access(request.user)
        setattr(request, "_access", known)  # noqa: B010 - HttpRequest declares no such attribute
    return known


def load_access(user: User | AnonymousUser) -> Access:
    if not isinstance(user, User) or not user.is_active:
        return Access()
    if user.is_superuser:
        return Access(str(user.pk), sees_all=True)
    roles = Membership.objects.filter(user=user).values_list("organization_id", "role")
    return Access(str(user.pk), {organization: Role(role) for organization, role in roles})


def organization_id_of(row: TenantModel) -> UUID | None:
    """The organization that owns the row, by the path that its model declares."""
    value: object = row
    for step in row.tenant_path.split("__"):
        value = getattr(value, step, None)
    return value if isinstance(value, UUID) else None


def principal_of(user: User | AnonymousUser) -> Principal:
    """The principal behind a Django user: every organization it is a member of, or all of them for a superuser.

    It acts for the organization that it joined first.
    """
    if not isinstance(user, User) or not user.is_active:
        return Principal(subject="")
    if user.is_superuser:
        return Principal(subject=str(user.pk), sees_all=True)
    places = Membership.objects.filter(user=user).order_by("pk").values_list("organization_id", "role")
    roles = {organization_id: Role(role) for organization_id, role in places}
    return Principal(
        subject=str(user.pk),
        organization_ids=frozenset(roles),
        organization_id=next(iter(roles), None),
        roles=roles,
    )
