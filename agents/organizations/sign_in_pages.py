"""What pages that take a password have in common: the throttle, its status, and the cookie of a known browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext

from .sign_in import ATTEMPT, WAIT_S, Attempt, TooManyAttempts, check_old_password, remember_browser, user_digest

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# What Django's forms call the current password of a signed-in user.
OLD_PASSWORD = "old_password"  # noqa: S105 - the name of a field


class SignInMiddleware:
    """A successful sign-in is refunded to the limits; an attempt over the limit gets 429 on every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        attempt: Attempt | None = request.META.get(ATTEMPT)
        if attempt is not None and has_signed_in(request, attempt):
            attempt.refund()
            remember_browser(request, response, attempt.user_digest)
        wait_s: int | None = request.META.get(WAIT_S)
        if wait_s is not None:
            response.status_code = 429
            response["Retry-After"] = str(wait_s)
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        is_form = request.method == "POST" and request.content_type in FORMS
        if not is_form or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        if not isinstance(user, User) or OLD_PASSWORD not in request.POST:
            return None
        try:
            check_old_password(request, user, request.POST[OLD_PASSWORD])
        except TooManyAttempts as exc:
            page = {"status": 429, "title": gettext("Too many attempts"), "next_step": exc.message}
            return HttpResponse(render_to_string("error.html", {"page": page}))
        return None


def has_signed_in(request: HttpRequest, attempt: Attempt) -> bool:
    """By this request: a user of an earlier session has no backend, and may be another one."""
    user = request.user
    return (
        isinstance(user, User) and hasattr(user, "backend") and user_digest(user.get_username()) == attempt.user_digest
    )
