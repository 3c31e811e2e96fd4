"""People and organisations that Clerk knows, as we know them."""

from __future__ import annotations

from django.contrib.auth.models import User

from agents.models import Organization
from agents.roles import Role

# Clerk's own two roles; a role that an operator named as one of ours is that one.
ROLES = {"admin": Role.MANAGER, "member": Role.STAFF} | {str(role): role for role in Role}


def user_of(subject: str) -> User:
    """The user of a Clerk subject: made when it comes first, without a password, once however many come at once."""
    user = User.objects.filter(username=subject).first()
    if user is not None:
        return user
    # A new user's password is unusable as long as none is set, but an empty one would be none at all.
    fresh = User(username=subject)
    fresh.set_unusable_password()
    return User.objects.get_or_create(username=subject, defaults={"password": fresh.password})[0]


def organization_of(clerk_id: str) -> Organization | None:
    return Organization.objects.filter(clerk_id=clerk_id).first()


def role_of(clerk_role: str) -> Role:
    """What Clerk's role may do here; one that nobody told us of only reads."""
    return ROLES.get(clerk_role, Role.VIEWER)
