"""Content security policy and related headers: strict, with exceptions for the admin theme under /admin/.

No cache stores a response unless its view allows it: most contain secrets or personal data, and a view without a
Cache-Control must not leak them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

STRICT = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "img-src 'self' data:"
)
# django-unfold uses Alpine, which evaluates expressions and writes styles.
ADMIN = f"{STRICT}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
# Responses depend on these: a cache that stores one anyway must not give it to another client.
CREDENTIALS = ("Authorization", "Cookie", "X-API-Key")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


def policy_connecting_to(*origins: str) -> str:
    """For a page whose scripts connect to other servers: exact origins, or all hosts of a domain."""
    return " ".join((f"{STRICT}; connect-src 'self'", *origins))


def admin_policy_connecting_to(*origins: str) -> str:
    """The same for an admin page."""
    return " ".join((f"{ADMIN}; connect-src 'self'", *origins))


def framed_by(policy: str, *origins: str) -> str:
    """The policy of a page that our own pages, and those of exact origins, may show in a frame."""
    return policy.replace("frame-ancestors 'none'", " ".join(("frame-ancestors 'self'", *origins)))


def admin_policy(*, forms_redirect_to: str) -> str:
    """For an admin page with a form whose response redirects to that origin; browsers block it otherwise."""
    if not ORIGIN.fullmatch(forms_redirect_to):
        return ADMIN
    return ADMIN.replace("form-action 'self'", f"form-action 'self' {forms_redirect_to}")


class SecurityHeadersMiddleware:
    """Adds the headers to every response of a view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", ADMIN if request.path.startswith("/admin/") else STRICT)
        response.setdefault("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, CREDENTIALS)
        return response
