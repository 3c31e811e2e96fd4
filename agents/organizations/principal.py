"""Who makes a request: the one value that every queryset's `visible_to` takes."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from .roles import Area, Power, Role, power_of
from .scopes import Scope

KEY_PREFIX = "key_"


class Kind(enum.StrEnum):
    """By what it proved who it is."""

    SESSION = "session"
    CLERK = "clerk"
    KEY = "key"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a key or a machine, and the organizations it may see. `sees_all` is for superusers and our own tasks.

    `subject` is what rows keep as their owner: a Clerk `sub`, a Django user's id, or `key_<prefix>`. `organization_id`
    is the organization it acts for, to which new rows belong; None for a principal that is its own tenant. What it
    may do is its role's part of agents/organizations/roles.py, within its `scopes`, which a key limits further.
    """

    subject: str
    organization_ids: frozenset[UUID] = field(default_factory=frozenset)
    sees_all: bool = False
    kind: Kind = Kind.SESSION
    organization_id: UUID | None = None
    roles: Mapping[UUID, Role] = field(default_factory=dict, hash=False)
    scopes: frozenset[Scope] = frozenset(Scope)

    @property
    def is_key(self) -> bool:
        """Software, which acts for several people."""
        return self.kind is Kind.KEY

    @property
    def is_authenticated(self) -> bool:
        """For Django REST framework, which reads it from `request.user`."""
        return bool(self.subject)

    @property
    def is_own_tenant(self) -> bool:
        """A person of Clerk's without an organization: sees the rows that it owns itself and that belong to none.

        A user of ours whom no organization has as a member has no role, and may do nothing.
        """
        return self.kind is Kind.CLERK and bool(self.subject) and not self.organization_ids and not self.sees_all

    @property
    def tenant(self) -> str:
        """What is counted per tenant: the organization it acts for, else the subject itself."""
        return str(self.organization_id) if self.organization_id else self.subject

    @property
    def role(self) -> Role | None:
        """Its role in the organization that it acts for."""
        return None if self.organization_id is None else self.roles.get(self.organization_id)

    def manages(self, organization_id: UUID | None) -> bool:
        """Whether it is an owner or manager there. What belongs to no organization is managed by superusers alone."""
        if self.sees_all:
            return True
        return organization_id is not None and power_of(self.roles.get(organization_id), Area.CALLS) >= Power.EDIT

    def may(self, scope: Scope, organization_id: UUID | None) -> bool:
        """Whether it has the scope there; what belongs to no organization is its own tenant's matter."""
        if scope not in self.scopes:
            return False
        if self.sees_all:
            return True
        if organization_id is None:
            return self.is_own_tenant
        return scope.is_granted_to(self.roles.get(organization_id))

    def within(self, scope: Scope) -> Principal:
        """The same, seeing only the organizations in which it has the scope. For one that has it where it acts."""
        allowed = frozenset(each for each in self.organization_ids if self.may(scope, each))
        return self if allowed == self.organization_ids else replace(self, organization_ids=allowed)


def is_key(subject: str) -> bool:
    """Whether an API key is the owner that a row has kept."""
    return subject.startswith(KEY_PREFIX)
