"""What every endpoint for customers has in common: authentication, scopes, and the shape of errors."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from voiceapp.core.api.errors import UNAUTHENTICATED, ErrorBody, Problem, VoiceError
from voiceapp.core.limits.views import LimitedView

from .authentication import (
    NOT_CHECKED,
    TWO_CREDENTIALS,
    UNKNOWN_ORGANIZATION,
    CustomerAuthentication,
    request_principal,
)
from .principal import Kind, Principal
from .scopes import Scope

KEY_LACKS_SCOPE = "This key lacks the scope {}. An owner or manager can make one that has it."
NO_SCOPE = Problem(403, message=KEY_LACKS_SCOPE.format(Scope.CALLS_WRITE), code="permission_denied")


class HasScope(BasePermission):
    """A role, or a key's scopes, must allow reading or writing in the view's area (agents/organizations/roles.py)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        assert isinstance(view, CustomerView)
        if request.method not in view.allowed_methods:
            return True  # the response is 405
        scope, principal = view.scope_of(request), request_principal(request)
        self.message = denial_of(principal, scope)
        return principal.may(scope, principal.organization_id)


def denial_of(principal: Principal, scope: Scope) -> str:
    """Why the principal lacks the scope, and who can change that."""
    if principal.kind is Kind.KEY:
        return KEY_LACKS_SCOPE.format(scope)
    if principal.role is None:
        return "You are not a member of an organization here. Ask an owner or manager to add you."
    return f"Your role ({principal.role.label}) does not allow this. An owner or manager can change it."


class CustomerView(LimitedView):
    """A subclass names the area of its scopes, its limits, and the shape of its errors if not the voice API's."""

    authentication_classes = [CustomerAuthentication]
    permission_classes = [IsAuthenticated, HasScope]
    scope_area: ClassVar[str]
    error_shape: ClassVar[type[ErrorBody]] = VoiceError
    common_problems = (TWO_CREDENTIALS, UNAUTHENTICATED, NO_SCOPE, UNKNOWN_ORGANIZATION, NOT_CHECKED)

    def scope_of(self, request: Request) -> Scope:
        """`calls:read` for GET, `calls:write` for the rest. ValueError for an area that no scope names."""
        wanted = "read" if request.method in SAFE_METHODS else "write"
        return Scope(f"{self.scope_area}:{wanted}")

    @property
    def principal(self) -> Principal:
        """The principal of the request, limited to the organizations in which it has the scope. For handlers."""
        return request_principal(self.request).within(self.scope_of(self.request))
