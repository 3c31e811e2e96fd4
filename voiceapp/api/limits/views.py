"""A view that declares its limits, and the middleware that writes them on every answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from voiceapp.lib.client_address import address_of, network_of

from .counting import CannotCount, count
from .limit import Limit
from .refusals import not_counted, too_many_requests
from .usage import Usage

USAGE = "voiceapp.limit_usage"


@runtime_checkable
class Asker(Protocol):
    """What is read of a principal (agents/principal.py); any other user, and an empty subject, is nobody."""

    @property
    def subject(self) -> str: ...

    @property
    def tenant(self) -> str: ...


class LimitedView(APIView):
    """Counts a request after it was authenticated and before it may do anything.

    `limits = {"POST": SESSION_CREATION, "GET": READ}`; HEAD counts as GET. Methods that are not named are not limited.
    """

    limits: ClassVar[Mapping[str, Limit]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        limit = self.limits.get("GET" if request.method == "HEAD" else request.method or "")
        if limit is not None:
            self._count(request, limit)
        super().initial(request, *args, **kwargs)

    def _count(self, request: Request, limit: Limit) -> None:
        try:
            who = _who(request, limit)
        except (APIException, PermissionDenied):
            # Wrong credentials count too, or they could be guessed without end.
            _let_through(request, limit, _address(request))
            raise
        _let_through(request, limit, who)


class LimitHeadersMiddleware:
    """Writes how far the limit is used up on every answer to a counted request, whatever became of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        usage: Usage | None = request.META.get(USAGE)
        if usage is not None:
            for name, value in usage.headers().items():
                response[name] = value
        return response


def _who(request: Request, limit: Limit) -> str:
    asker: object = request.user
    if not isinstance(asker, Asker) or not asker.subject:
        return _address(request)
    return f"tenant:{asker.tenant}" if limit.is_per_tenant else f"subject:{asker.subject}"


def _address(request: Request) -> str:
    return f"address:{network_of(address_of(request._request))}"


def _let_through(request: Request, limit: Limit, who: str) -> None:
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
        raise too_many_requests(usage)
