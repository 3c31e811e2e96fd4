"""How one who asks over the API is called in front of others."""

from __future__ import annotations

from django.contrib.auth.models import User

from agents.models import ApiKey
from agents.principal import KEY_PREFIX, Kind, Principal

LONGEST = 120


def display_name(principal: Principal) -> str:
    """The person's name or the key's; empty where none is known. Never an id, which others have no business with."""
    if principal.kind is Kind.KEY:
        prefix = principal.subject.removeprefix(KEY_PREFIX)
        return ApiKey.objects.filter(prefix=prefix).values_list("name", flat=True).first() or ""
    is_ours = principal.kind is Kind.SESSION
    user = User.objects.filter(**({"pk": principal.subject} if is_ours else {"username": principal.subject})).first()
    if user is None:
        return ""
    # Of a person that Clerk knows, the user's name is Clerk's subject.
    return (user.get_full_name() or (user.get_username() if is_ours else ""))[:LONGEST]
