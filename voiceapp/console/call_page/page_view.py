"""What the endpoints of the call page share: who calls, the shape of errors, and the websites that may request them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from agents.organizations.api import CustomerView
from agents.organizations.principal import Principal
from voiceapp.core.api.errors import ErrorBody, Problem

from .access import VISITOR_HEADER, Caller, may_call, named_sites_of

View = Callable[..., HttpResponse]


class CallPageError(ErrorBody):
    """The page shows `message` as it is."""

    code = serializers.CharField(source="shown_code")
    message = serializers.SerializerMethodField()
    requestId = serializers.CharField(source="request_id")

    def get_message(self, problem: Problem) -> str:
        """In the page's language, where the sentence is one of those that never vary."""
        return gettext(problem.message) if problem.message else ""

    @classmethod
    def render(cls, problem: Problem) -> dict[str, Any]:
        return dict(cls(problem).data)


class CallerAuthentication(BaseAuthentication):
    """`request.user` becomes the caller's principal, `request.auth` the caller."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def authenticate(self, request: Request) -> tuple[Principal, Caller]:
        view = request.parser_context["view"]
        if request.method not in view.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        caller = may_call(request, view.kwargs["organization"], scope=view.scope_of(request))
        return caller.principal, caller


class CallPageView(CustomerView):
    """An endpoint under `/call/<organization>/`."""

    authentication_classes = [CallerAuthentication]
    permission_classes = [IsAuthenticated]
    scope_area = "calls"
    error_shape: ClassVar[type[ErrorBody]] = CallPageError

    @property
    def caller(self) -> Caller:
        caller: object = self.request.auth
        if not isinstance(caller, Caller):
            raise TypeError("this view is not behind CallerAuthentication")
        return caller


def for_named_sites(view: View) -> View:
    """Let scripts of the websites that an organization names request the view, with a visitor token and no cookie."""

    @csrf_exempt  # the views behind it check their own
    @wraps(view)
    def wrapped(request: HttpRequest, organization: str, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        is_named = bool(origin) and origin in named_sites_of(organization)
        if is_named and request.method == "OPTIONS":
            response = HttpResponse(status=204)
        else:
            response = view(request, organization=organization, **kwargs)
        if is_named:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
            response["Access-Control-Allow-Headers"] = f"Authorization, Content-Type, {VISITOR_HEADER}"
            response["Access-Control-Expose-Headers"] = "Retry-After"
            patch_vary_headers(response, ("Origin",))
        return response

    return wrapped
