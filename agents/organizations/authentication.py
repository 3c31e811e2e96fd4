"""The principal of an API request: by a Clerk session token, an organization's API key, or a Django session.

A credential in a header beats cookies; two in headers are an error; after an invalid one no other is tried.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from voiceapp.core.api.errors import UNAUTHENTICATED, ApiError, Problem, retry_after_of
from voiceapp.providers.clerk.tokens import ClerkClaims, ClerkVerifier, TokenRefused
from voiceapp.providers.errors import ProviderError

from .access import principal_of
from .principal import Kind, Principal, is_key
from .roles import Role
from .scopes import Scope
from .services import find_key, organization_of, role_of, user_of

logger = structlog.get_logger("credentials")

# __session, and __session_<hash> where several Clerk instances share a domain.
SESSION_COOKIE = re.compile(r"__session(_[A-Za-z0-9_-]{1,64})?")
MOST_SESSION_COOKIES = 4

TWO_CREDENTIALS = Problem(
    400, message="Send one credential: a bearer token or X-API-Key, not both.", code="invalid", malformed=True
)
UNKNOWN_ORGANIZATION = Problem(403, message="Your organization is not known here.", code="permission_denied")
NOT_CHECKED = Problem(503, "Service Unavailable", "Who you are cannot be checked right now. Try again soon.")


class CustomerAuthentication(BaseAuthentication):
    """`request.user` becomes a Principal; None without any credential, for which IsAuthenticated raises 401."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        principal = principal_by_header(request) or principal_by_cookie(request)
        return None if principal is None else (principal, None)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def request_principal(request: Request) -> Principal:
    """The principal in a view behind CustomerAuthentication."""
    principal: object = request.user
    if not isinstance(principal, Principal):
        raise TypeError("this view is not behind CustomerAuthentication")
    return principal


def principal_by_header(request: Request) -> Principal | None:
    """By `Authorization: Bearer` or `X-API-Key`. Raises where a header holds no valid credential."""
    sent = request.META.get("HTTP_AUTHORIZATION", "").strip(), request.META.get("HTTP_X_API_KEY", "").strip()
    authorization, api_key = sent
    if not any(sent):
        return None
    # Servers join a repeated header with a comma, which no credential of ours contains.
    if all(sent) or any("," in each for each in sent):
        raise TWO_CREDENTIALS.error()
    if api_key:
        return principal_by_key(api_key)
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.isascii():
        raise unauthenticated("no bearer token")
    return principal_by_key(token) if token.startswith("va_") else principal_by_token(token)


def principal_by_key(text: str) -> Principal:
    """A key manages the organization that issued it, within its scopes."""
    key = find_key(text)
    if key is None:
        raise unauthenticated("no usable key")
    return Principal(
        subject=key.subject,
        organization_ids=frozenset({key.organization_id}),
        kind=Kind.KEY,
        organization_id=key.organization_id,
        roles={key.organization_id: Role.MANAGER},
        scopes=frozenset(scope for scope in Scope if scope in key.scopes),
    )


def principal_by_token(token: str) -> Principal:
    verifier = ClerkVerifier.from_settings() if token.count(".") == 2 else None
    if verifier is None:
        raise unauthenticated("unknown kind of token")
    try:
        return principal_of_claims(verifier.verify(token))
    except TokenRefused as exc:
        raise unauthenticated(str(exc)) from exc
    except ProviderError as exc:
        raise not_checked(exc) from exc


def principal_by_cookie(request: Request) -> Principal | None:
    """By a signed-in Django session, else by Clerk's cookie; each write must come from a page of an allowed origin."""
    # The user of Django's own request: that of Django REST framework's request would come back here.
    user = request._request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
    if isinstance(user, User) and user.is_active:
        SessionAuthentication().enforce_csrf(request)
        return principal_of(user)
    names = [name for name in request.COOKIES if SESSION_COOKIE.fullmatch(name)]
    verifier = ClerkVerifier.from_settings() if names else None
    if verifier is None:
        return None
    claims = newest_claims(verifier, [request.COOKIES[name] for name in names[:MOST_SESSION_COOKIES]])
    origin = request.META.get("HTTP_ORIGIN", "")
    if request.method not in SAFE_METHODS and origin not in settings.CLERK_AUTHORIZED_PARTIES:
        raise PermissionDenied("A change with Clerk's cookie needs an Origin that is allowed here.")
    return principal_of_claims(claims)


def newest_claims(verifier: ClerkVerifier, tokens: list[str]) -> ClerkClaims:
    """A browser may hold a stale cookie beside the current one, in any order: the one issued last counts."""
    found: list[ClerkClaims] = []
    failure: TokenRefused | ProviderError = TokenRefused("no cookie")
    for token in tokens:
        try:
            found.append(verifier.verify(token, needs_party=True))
        except TokenRefused as exc:
            failure = failure if isinstance(failure, ProviderError) else exc
        except ProviderError as exc:
            failure = exc
    if found:
        return max(found, key=lambda claims: claims.issued_at)
    raise not_checked(failure) if isinstance(failure, ProviderError) else unauthenticated(str(failure))


def principal_of_claims(claims: ClerkClaims) -> Principal:
    """The person acts for the token's organization, with the role that Clerk gives; without one, for itself."""
    if is_key(claims.subject):
        raise unauthenticated("a subject in the form of a key's")
    organization = organization_of(claims.organization_id) if claims.organization_id else None
    if claims.organization_id and organization is None:
        raise PermissionDenied(UNKNOWN_ORGANIZATION.message)
    if not user_of(claims.subject).is_active:
        raise unauthenticated("inactive user")
    if organization is None:
        return Principal(subject=claims.subject, kind=Kind.CLERK)
    return Principal(
        subject=claims.subject,
        organization_ids=frozenset({organization.pk}),
        kind=Kind.CLERK,
        organization_id=organization.pk,
        roles={organization.pk: role_of(claims.organization_role)},
    )


def unauthenticated(reason: str) -> AuthenticationFailed:
    """401. The reason is logged only: it would help an attacker who guesses."""
    logger.info("credential rejected", reason=reason)
    return AuthenticationFailed(UNAUTHENTICATED.message)


def not_checked(exc: ProviderError) -> ApiError:
    """503, never 401, after which the client would sign in again in vain."""
    logger.warning("credential not checked", error=str(exc))
    return NOT_CHECKED.error(retry_after_s=retry_after_of(exc))


class CustomerCredentials(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """In the OpenAPI document: any of them is enough."""

    target_class = CustomerAuthentication
    name = ["bearer", "apiKey", "clerkCookie", "session"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key (`va_…`) or a Clerk session token."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "__session",
                "description": "Clerk's session cookie; a change needs an Origin that is allowed.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "A signed-in Django session; a change needs the header X-CSRFToken.",
            },
        ]
