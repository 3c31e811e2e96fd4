"""People and organizations that Clerk knows, as we know them."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass

import structlog
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from voiceapp.core.errors import ApplicationError

from .models import KEY_PATTERN, PREFIX_LENGTH, ApiKey, Organization
from .principal import KEY_PREFIX, Kind, Principal
from .roles import Role
from .scopes import Scope

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
    """What Clerk's role may do here; an unknown one only reads."""
    return ROLES.get(clerk_role, Role.VIEWER)


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


logger = structlog.get_logger("keys")

OVERLAP = dt.timedelta(days=1)
USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
CHARACTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its text, which nothing can show again."""

    key: ApiKey
    text: str


def issue_key(
    organization: Organization,
    *,
    name: str,
    scopes: Collection[Scope] = tuple(Scope),
    expires_at: dt.datetime | None = None,
    by: str = "",
) -> IssuedKey:
    """Make a key of the organization. Raises ApplicationError for no scopes or an end in the past."""
    if not scopes:
        raise ApplicationError(gettext("A key without any scope could do nothing. Choose at least one."))
    if expires_at is not None and expires_at <= timezone.now():
        raise ApplicationError(gettext("The key would have expired already. Choose a later time, or none."))
    prefix = "".join(secrets.choice(CHARACTERS) for _ in range(PREFIX_LENGTH))
    secret = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        prefix=prefix,
        secret_sha256=digest(secret),
        scopes=sorted(scopes),
        expires_at=expires_at,
        created_by=by,
    )
    return IssuedKey(key, f"va_{prefix}_{secret}")


def rotate_key(key: ApiKey, *, by: str = "", overlap: dt.timedelta = OVERLAP) -> IssuedKey:
    """Issue a successor that lives as long as the key was meant to; the key itself works until the overlap is over."""
    now = timezone.now()
    with transaction.atomic():
        old = ApiKey.objects.select_for_update().select_related("organization").get(pk=key.pk)
        if old.replaced_by_id is not None:
            raise ApplicationError(gettext("This key was rotated already. Rotate the one that replaced it."))
        if not old.is_usable(now):
            raise ApplicationError(gettext("This key works no longer. Make a new one."))
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        issued = issue_key(
            old.organization,
            name=old.name,
            scopes=[Scope(scope) for scope in old.scopes],
            expires_at=now + lifetime if lifetime else None,
            by=by,
        )
        old.replaced_by = issued.key
        old.expires_at = min(old.expires_at or now + overlap, now + overlap)
        old.save(update_fields=["replaced_by", "expires_at"])
    key.refresh_from_db()
    return issued


def revoke_key(key: ApiKey) -> bool:
    """The key no longer authenticates. False if it was revoked before."""
    is_changed = bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()))
    key.refresh_from_db()
    return is_changed


def find_key(text: str) -> ApiKey | None:
    """The usable key of that text; its use is noted."""
    match = KEY_PATTERN.fullmatch(text)
    if match is None:
        return None
    now = timezone.now()
    key = ApiKey.objects.usable(now).filter(prefix=match["prefix"]).first()
    if key is None or not hmac.compare_digest(key.secret_sha256, digest(match["secret"])):
        return None
    _note_use(key, now)
    return key


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _note_use(key: ApiKey, now: dt.datetime) -> None:
    """At most one write a minute, also between processes; a database that fails does not refuse the request."""
    before = now - USE_IS_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    rows = ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=key.pk)
    try:
        with transaction.atomic():
            rows.update(last_used_at=now)
    except DatabaseError:
        logger.warning("use of a key not noted", prefix=key.prefix, exc_info=True)
