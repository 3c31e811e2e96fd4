"""Clerk's session tokens, verified without a request to Clerk once its keys are cached (protocols F)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import jwt
from django.conf import settings

from .keys import FetchedKeys, GivenKey, Keys, UnknownKey

LEEWAY_S = 5
MAX_TOKEN_LENGTH = 8 * 1024
MAX_KEY_ID_LENGTH = 200
REQUIRED = ["exp", "iat", "nbf", "iss", "sub"]
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


class TokenRefused(Exception):
    """The token is not valid. The reason is for the log, never for the sender."""


@dataclass(frozen=True, slots=True)
class ClerkClaims:
    """A token's claims, of either version: roles without `org:`, an empty string for what it does not have."""

    subject: str
    issued_at: int
    session_id: str = ""
    authorized_party: str = ""
    organization_id: str = ""
    organization_slug: str = ""
    organization_role: str = ""


class ClerkVerifier:
    """One Clerk instance. `verify` raises TokenRefused, or ProviderError when its keys cannot be had."""

    def __init__(self, *, issuer: str, keys: Keys, authorized_parties: Collection[str]) -> None:
        self._issuer = issuer
        self._keys = keys
        self._authorized_parties = frozenset(authorized_parties)

    @classmethod
    def from_settings(cls) -> Self | None:
        """None if no issuer is configured: then Clerk's tokens are not accepted."""
        if not settings.CLERK_ISSUER:
            return None
        return cls(
            issuer=settings.CLERK_ISSUER,
            keys=_keys(settings.CLERK_ISSUER, settings.CLERK_JWT_KEY),
            authorized_parties=settings.CLERK_AUTHORIZED_PARTIES,
        )

    def verify(self, token: str, *, needs_party: bool = False) -> ClerkClaims:
        """`needs_party`: refuse a token that names no authorized party, as cookies must."""
        claims = read_claims(self._decode(token))
        if needs_party and not claims.authorized_party:
            raise TokenRefused("no azp")
        if claims.authorized_party and claims.authorized_party not in self._authorized_parties:
            raise TokenRefused("foreign azp")
        return claims

    def _decode(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise TokenRefused("not a token")
        try:
            header = jwt.get_unverified_header(token)
            # Checked again while decoding; here it avoids fetching keys for a token that no key can make valid.
            if header.get("alg") != "RS256":
                raise TokenRefused("not RS256")
            key = self._keys.key(str(header.get("kid", ""))[:MAX_KEY_ID_LENGTH])
            return jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": REQUIRED, "verify_aud": False},
            )
        except UnknownKey as exc:
            raise TokenRefused("unknown key") from exc
        except jwt.PyJWTError as exc:
            raise TokenRefused(type(exc).__name__) from exc


@lru_cache(maxsize=8)
def _keys(issuer: str, pem: str) -> Keys:
    """One set of keys per process and issuer."""
    return GivenKey(pem) if pem.strip() else FetchedKeys(f"{issuer}/.well-known/jwks.json")


def read_claims(payload: Mapping[str, Any]) -> ClerkClaims:
    """Both shapes of a session token: v2 with `o`, v1 with flat `org_…`. A pending session is no session yet."""
    if payload.get("sts", "active") != "active":
        raise TokenRefused("session not active")
    organization = payload.get("o")
    if organization is None:
        organization = {"id": payload.get("org_id"), "slg": payload.get("org_slug"), "rol": payload.get("org_role")}
    elif not isinstance(organization, Mapping) or not organization.get("id"):
        raise TokenRefused("malformed organization")
    return ClerkClaims(
        subject=_identifier(payload["sub"]),
        issued_at=int(payload["iat"]),
        session_id=_text(payload.get("sid")),
        authorized_party=_text(payload.get("azp")),
        organization_id=_identifier(organization["id"]) if organization.get("id") else "",
        organization_slug=_text(organization.get("slg")),
        organization_role=_text(organization.get("rol")).removeprefix("org:"),
    )


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise TokenRefused("malformed identifier")
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TokenRefused("a claim of the wrong type")
    return value
