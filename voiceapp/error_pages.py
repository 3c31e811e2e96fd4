"""Errors outside handlers: JSON in the endpoint's shape, or a page with a next step for a browser. No database."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from voiceapp.core.api.errors import BROKEN, ErrorBody, Problem, shape_at


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """A sentence on the error, and what to do next."""

    status: int
    code: str
    title: StrOrPromise
    next_step: StrOrPromise


BAD_REQUEST = ErrorPage(400, "bad_request", _("This request is malformed"), _("Go back and try again."))
FORBIDDEN = ErrorPage(
    403, "forbidden", _("You may not open this page"), _("Log in as a user who may, or contact an owner.")
)
OLD_FORM = ErrorPage(
    403,
    "forbidden",
    _("This form is from an earlier sign-in"),
    _("Nothing was saved. Open the form again: your input is restored."),
)
NOT_FOUND = ErrorPage(
    404, "not_found", _("There is nothing here"), _("Check the address, or start from the home page.")
)
SERVER_ERROR = ErrorPage(BROKEN.status, BROKEN.code, *BROKEN.message.split(". ", 1))


def wants_page(request: HttpRequest) -> bool:
    """Whether the client is a browser, which accepts HTML."""
    return "text/html" in request.headers.get("Accept", "")


def endpoint_of(request: HttpRequest) -> type | None:
    """The class of the requested JSON endpoint; None for pages, webhooks and unknown paths."""
    match = request.resolver_match
    endpoint: type | None = getattr(match.func, "cls", None) if match else None
    return endpoint


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return show(request, BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return show(request, FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is from an earlier sign-in; static/voiceapp/unsaved_input.mjs restores the input."""
    return show(request, OLD_FORM, form_page=request.get_full_path())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return show(request, NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    return show(request, SERVER_ERROR)


def show(request: HttpRequest, page: ErrorPage, *, form_page: str = "") -> HttpResponse:
    endpoint = endpoint_of(request)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if endpoint is not None or not wants_page(request):
        shape: type[ErrorBody] = getattr(endpoint, "error_shape", shape_at(request.path_info))
        message = f"{page.title}. {page.next_step}"
        problem = Problem(page.status, message=message, code=page.code, details={"requestId": request_id})
        return JsonResponse(shape.render(problem), status=page.status)
    # Without the request: its context processors would read the session from the database.
    return HttpResponse(
        render_to_string("error.html", {"page": page, "request_id": request_id, "form_page": form_page}),
        status=page.status,
    )
