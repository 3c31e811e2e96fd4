"""Who asks: the one value that every queryset's `visible_to` takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a key or a machine, and the organisations it may see. `sees_all` is for superusers and our own tasks."""

    subject: str
    organization_ids: frozenset[UUID] = field(default_factory=frozenset)
    sees_all: bool = False


def principal_of(user: User | AnonymousUser) -> Principal:
    """The principal behind a Django user: every organisation it is a member of, or all of them for a superuser."""
    if not isinstance(user, User) or not user.is_active:
        return Principal(subject="")
    if user.is_superuser:
        return Principal(subject=str(user.pk), sees_all=True)
    # Imported here: models need Principal for their querysets.
    from agents.models import Membership

    ids = Membership.objects.filter(user=user).values_list("organization_id", flat=True)
    return Principal(subject=str(user.pk), organization_ids=frozenset(ids))
