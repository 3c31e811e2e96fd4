"""A view that declares its rate limits, and the middleware that writes their headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    MethodNotAllowed,
    ParseError,
    PermissionDenied,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response

from voiceapp.core.api.errors import FormError
from voiceapp.core.api.json_view import JSONView

from .counting import CountersUnavailable, count, refund
from .credentials import address_key, count_wrong_credential
from .limit import FAILED, Limit
from .usage import Usage, counters_unavailable, too_many_requests

USAGE = "voiceapp.limit_usage"
# The request or its principal was wrong, so it created nothing.
CLIENT_ERRORS = (
    ParseError,
    ValidationError,
    FormError,
    UnsupportedMediaType,
    MethodNotAllowed,
    PermissionDenied,
    DjangoPermissionDenied,
)


@runtime_checkable
class LimitedPrincipal(Protocol):
    """What is read of a principal (agents/organizations/principal.py); any other user, or no subject, is anonymous."""

    @property
    def subject(self) -> str: ...

    @property
    def tenant(self) -> str: ...


class LimitedView(JSONView):
    """Counts a request after authentication and before it may do anything.

    `limits = {"POST": SESSION_CREATION, "GET": READ}`; HEAD counts as GET. Methods that are not named are not limited.
    Requests with form errors are refunded unless the limit counts them, and so are creations that failed at a provider.
    Wrong credentials are counted on every method.
    """

    limits: ClassVar[Mapping[str, Limit]] = {}
    # The limit that counted this request, and the client.
    _counted: tuple[Limit, str] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        limit = self.limits.get("GET" if request.method == "HEAD" else request.method or "")
        try:
            client = _client_of(request, limit)
        except (APIException, DjangoPermissionDenied) as exc:
            if isinstance(exc, AuthenticationFailed):
                count_wrong_credential(request._request)
            if limit is not None:
                self._count(request, limit, address_key(request._request))
            raise
        if limit is not None:
            self._count(request, limit, client)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        if self._counted is not None and _created_nothing(exc, *self._counted):
            limit, client = self._counted
            meta = self.request.META
            meta[USAGE] = refund(limit, client, meta[USAGE])
        return super().handle_exception(exc)

    def _count(self, request: Request, limit: Limit, client: str) -> None:
        """Count, store the usage for the headers, and raise ApiError if the limit is exceeded."""
        try:
            usage = count(limit, client)
        except CountersUnavailable as exc:
            usage = Usage.without_counters(limit.rate, is_open=limit.is_open_without_counters)
            request.META[USAGE] = usage
            if not limit.is_open_without_counters:
                raise counters_unavailable(usage) from exc
            return
        request.META[USAGE] = usage
        if usage.is_exceeded:
            if not limit.counts_refused:
                # Otherwise it would use up the place of a request that is refunded later.
                refund(limit, client, usage)
            raise too_many_requests(usage)
        if not limit.counts_refused:
            self._counted = limit, client


class LimitHeadersMiddleware:
    """Adds the usage of the limit to every response to a limited request, whatever its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        usage: Usage | None = request.META.get(USAGE)
        if usage is not None:
            for name, value in usage.headers().items():
                response[name] = value
        return response


def _created_nothing(exc: Exception, limit: Limit, client: str) -> bool:
    """Whether the request is refunded. Failures at a provider are, up to the limit FAILED: each costs a request."""
    if isinstance(exc, CLIENT_ERRORS):
        return True
    if limit.counts_failed or not isinstance(exc, APIException) or exc.status_code < 500:
        return False
    try:
        return not count(FAILED, f"{limit.name}:{client}").is_exceeded
    except CountersUnavailable:
        return False


def _client_of(request: Request, limit: Limit | None) -> str:
    principal: object = request.user
    if not isinstance(principal, LimitedPrincipal) or not principal.subject:
        return address_key(request._request)
    return f"tenant:{principal.tenant}" if limit is not None and limit.is_per_tenant else f"subject:{principal.subject}"
