"""A view that declares its limits, and the middleware that writes them on every response."""

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

from .counting import CannotCount, count, give_back
from .credentials import address_key, count_wrong_credential
from .limit import FAILED, Limit
from .usage import Usage, not_counted, too_many_requests

USAGE = "voiceapp.limit_usage"
# What was wrong with the request itself, or with who made it: it made nothing.
REFUSED = (
    ParseError,
    ValidationError,
    FormError,
    UnsupportedMediaType,
    MethodNotAllowed,
    PermissionDenied,
    DjangoPermissionDenied,
)


@runtime_checkable
class Asker(Protocol):
    """What is read of a principal (agents/organizations/principal.py); any other user, or no subject, is anonymous."""

    @property
    def subject(self) -> str: ...

    @property
    def tenant(self) -> str: ...


class LimitedView(JSONView):
    """Counts a request after it was authenticated and before it may do anything.

    `limits = {"POST": SESSION_CREATION, "GET": READ}`; HEAD counts as GET. Methods that are not named are not limited.
    A request that was refused for its form is given back, unless the limit is one on requests, and so is a creation
    that failed at a provider. Wrong credentials are counted on every method.
    """

    limits: ClassVar[Mapping[str, Limit]] = {}
    # What was counted for this request, and for whom.
    _counted: tuple[Limit, str] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        limit = self.limits.get("GET" if request.method == "HEAD" else request.method or "")
        try:
            who = _who(request, limit)
        except (APIException, DjangoPermissionDenied) as exc:
            if isinstance(exc, AuthenticationFailed):
                count_wrong_credential(request._request)
            if limit is not None:
                self._count(request, limit, address_key(request._request))
            raise
        if limit is not None:
            self._count(request, limit, who)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        if self._counted is not None and _made_nothing(exc, *self._counted):
            limit, who = self._counted
            meta = self.request.META
            meta[USAGE] = give_back(limit, who, meta[USAGE])
        return super().handle_exception(exc)

    def _count(self, request: Request, limit: Limit, who: str) -> None:
        """Count, note the usage for the headers, and raise ApiError when it was one too many."""
        try:
            usage = count(limit, who)
        except CannotCount as exc:
            usage = Usage.uncounted(limit.rate, is_open=limit.is_open_uncounted)
            request.META[USAGE] = usage
            if not limit.is_open_uncounted:
                raise not_counted(usage) from exc
            return
        request.META[USAGE] = usage
        if usage.is_exceeded:
            if not limit.counts_refused:
                # Left counted, it would take a place after one that was let through is given back.
                give_back(limit, who, usage)
            raise too_many_requests(usage)
        if not limit.counts_refused:
            self._counted = limit, who


class LimitHeadersMiddleware:
    """Writes how far the limit is used up on every response to a limited request, whatever became of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        usage: Usage | None = request.META.get(USAGE)
        if usage is not None:
            for name, value in usage.headers().items():
                response[name] = value
        return response


def _made_nothing(exc: Exception, limit: Limit, who: str) -> bool:
    """Whether the request is not to be counted. A provider's failure is, after so many: each try costs a request."""
    if isinstance(exc, REFUSED):
        return True
    if limit.counts_failed or not isinstance(exc, APIException) or exc.status_code < 500:
        return False
    try:
        return not count(FAILED, f"{limit.name}:{who}").is_exceeded
    except CannotCount:
        return False


def _who(request: Request, limit: Limit | None) -> str:
    asker: object = request.user
    if not isinstance(asker, Asker) or not asker.subject:
        return address_key(request._request)
    return f"tenant:{asker.tenant}" if limit is not None and limit.is_per_tenant else f"subject:{asker.subject}"
