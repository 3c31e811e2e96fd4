"""Who may call on an organization's page: its staff, and visitors if the organization lets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_noop as _
from rest_framework.request import Request

from agents.call_page.models import PUBLIC, CallPage, call_page_of
from agents.organizations.access import principal_of
from agents.organizations.api import denial_of
from agents.organizations.authentication import CustomerAuthentication
from agents.organizations.languages import known_language
from agents.organizations.models import Organization
from agents.organizations.principal import Kind, Principal
from agents.organizations.scopes import Scope
from agents.organizations.second_factor import signed_in_user
from sessions.calls.models import Call, CallQuerySet
from sessions.rooms.api.errors import NO_CALL_FOR_YOU
from voiceapp.core.api.errors import Problem
from voiceapp.core.http.own_origin import own_origin
from voiceapp.core.web_addresses import Origin, read_origin

from .visitor_tokens import TokenExpired, TokenForged, VisitorToken

VISITOR_HEADER = "X-Visitor-Token"
# How a websocket carries the token: a browser sends no header of ours with it.
PROTOCOL, VISITOR_PROTOCOL = "voiceapp", "visitor."

SIGNED_OUT = Problem(
    401, "Signed out", _("You are signed out. Sign in again in another tab, then call again."), code="signed_out"
)
NOT_ALLOWED = Problem(403, "Forbidden", _("Your role does not allow calls."), code="permission_denied")
STAFF_ONLY = Problem(403, "Staff only", _("Only the staff may call here now. Reload the page."), code="staff_only")
TOKEN_FORGED = Problem(403, "Token refused", _("This page belongs to something else. Reload it."), code="token_refused")
FOREIGN_PAGE = Problem(403, "Foreign page", _("Calls come from our own pages only."), code="foreign_page")
TOKEN_EXPIRED = Problem(
    403, "Token expired", _("The page was open for too long. Reload it, then call again."), code="token_expired"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, for which organization. `token` is a visitor's, whose principal sees no row at all."""

    organization: Organization
    principal: Principal
    token: VisitorToken | None = None

    @property
    def is_visitor(self) -> bool:
        return self.token is not None

    @property
    def sees_cost(self) -> bool:
        """What a call has cost, and its log, are for people of the organization."""
        return self.principal.kind is Kind.SESSION

    def calls(self) -> CallQuerySet:
        """Those that it may follow and end: a visitor its own alone."""
        of_organization = Call.objects.filter(organization=self.organization)
        if self.is_visitor:
            return of_organization.filter(owner=self.principal.subject)
        return of_organization & Call.objects.reachable_by(self.principal)


def may_call(request: Request, slug: str, *, scope: Scope = Scope.CALLS_WRITE) -> Caller:
    """A visitor by the token of its page, else one of the staff as on every endpoint. Raises APIException.

    A token beats cookies: a page that has one was opened as a visitor.
    """
    text = request.headers.get(VISITOR_HEADER, "")
    if text:
        return visitor_by(text, slug)
    authenticated = CustomerAuthentication().authenticate(request)
    if authenticated is None:
        raise SIGNED_OUT.error()
    return staff_by(authenticated[0], slug, scope=scope)


def visitor_by(text: str, slug: str) -> Caller:
    """Raises ApiError: for a token of another organization the same, whether that organization exists or not."""
    try:
        token = VisitorToken.read(text)
    except TokenExpired as exc:
        raise TOKEN_EXPIRED.error() from exc
    except TokenForged as exc:
        raise TOKEN_FORGED.error() from exc
    organization = Organization.objects.filter(pk=token.organization_id, slug=slug).first()
    if organization is None:
        raise TOKEN_FORGED.error()
    if not call_page_of(organization).is_public:
        raise STAFF_ONLY.error()
    subject = f"visitor_{token.id}"
    return Caller(organization, Principal(subject, kind=Kind.VISITOR, organization_id=organization.pk), token)


def staff_by(principal: Principal, slug: str, *, scope: Scope) -> Caller:
    """Raises ApiError: 403 for one who may not call anywhere, or not here; 404 for a stranger."""
    found = Organization.objects.visible_to(principal).filter(slug=slug).first()
    acting = replace(principal, organization_id=found.pk) if found else principal
    if not acting.may(scope, acting.organization_id):
        raise NOT_ALLOWED.error(denial_of(acting, scope))
    if found is None:
        raise NO_CALL_FOR_YOU.error()
    return Caller(found, acting)


# Websockets


def caller_of_socket(scope: Mapping[str, Any], slug: str) -> Caller:
    """By the token among the subprotocols, for pages of ours and of named websites, else by the session. Reads the
    database. Raises ApiError, as `may_call` does.
    """
    text = next(_tokens(scope), "")
    is_named = bool(text) and _headers(scope).get("origin", "") in named_sites_of(slug)
    if not is_own_origin(scope) and not is_named:
        raise FOREIGN_PAGE.error()
    if text:
        return visitor_by(text, slug)
    principal = principal_of(user_of_socket(scope))
    if not principal.is_authenticated:
        raise SIGNED_OUT.error()
    return staff_by(principal, slug, scope=Scope.CALLS_WRITE)


def language_of_socket(scope: Mapping[str, Any]) -> str:
    """Of the page that opened it, which says so as `?lang=`."""
    query = QueryDict(scope.get("query_string", b""), encoding="latin-1")
    return known_language(query.get("lang", "")) or settings.LANGUAGE_CODE


def is_own_origin(scope: Mapping[str, Any]) -> bool:
    """Whether a page of ours opened the socket, also where that page is in a frame of another site.

    Scheme, host and port have to be those of our public address, or of the address at which this socket was opened.
    """
    origin = _origin_of(_headers(scope).get("origin", ""))
    return origin is not None and origin in (_origin_of(settings.PUBLIC_BASE_URL), own_origin(scope))


def named_sites_of(slug: str) -> tuple[str, ...]:
    """The websites whose scripts may call as a visitor does."""
    page = CallPage.objects.filter(who_may_call__in=PUBLIC, organization__slug=slug).first()
    return page.named_sites if page else ()


def accepted_protocol(scope: Mapping[str, Any]) -> str | None:
    """What the server answers to the subprotocols that the page offers; never the token."""
    return PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None


def _origin_of(address: str) -> Origin | None:
    try:
        return read_origin(address)
    except ValueError:
        return None


def _tokens(scope: Mapping[str, Any]) -> Iterator[str]:
    for each in scope.get("subprotocols", ()):
        if each.startswith(VISITOR_PROTOCOL):
            yield each.removeprefix(VISITOR_PROTOCOL)


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def user_of_socket(scope: Mapping[str, Any]) -> User | AnonymousUser:
    """Of the Django session. Reads the database."""
    cookies = _headers(scope).get("cookie", "")
    request = HttpRequest()
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        morsel = None
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(morsel.value if morsel else None)
    return signed_in_user(request)
