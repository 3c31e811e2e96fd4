"""What every endpoint for customers has in common: who may, in which scope, and how it refuses."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from agents.authentication import CustomerAuthentication, asking
from agents.principal import Principal
from agents.scopes import Scope
from voiceapp.api.errors import ErrorShape
from voiceapp.api.limits import LimitedView
from voiceapp.api.methods import METHODS
from voiceapp.api.strict_json import StrictJSONParser


class HasScope(BasePermission):
    """An API key needs the scope of the view's area to read or to write there; people have every scope."""

    message = "This key may not do that: it lacks the scope."

    def has_permission(self, request: Request, view: APIView) -> bool:
        assert isinstance(view, CustomerView)
        if request.method not in view.allowed_methods:
            return True  # the answer is 405
        return view.scope_of(request) in asking(request).scopes


class CustomerView(LimitedView):
    """Name the area of its scopes, its limits, and the shape of its errors where it is not the voice API's."""

    authentication_classes = [CustomerAuthentication]
    permission_classes = [IsAuthenticated, HasScope]
    parser_classes = [StrictJSONParser]
    http_method_names = METHODS
    scope_area: ClassVar[str]
    error_shape: ClassVar[ErrorShape] = ErrorShape.VOICE

    def scope_of(self, request: Request) -> Scope:
        """`calls:read` for GET, `calls:write` for the rest. ValueError for an area that no scope names."""
        wanted = "read" if request.method in SAFE_METHODS else "write"
        return Scope(f"{self.scope_area}:{wanted}")

    @property
    def principal(self) -> Principal:
        """Who asks. Only after `initial`: in handlers and what they call."""
        return asking(self.request)
