"""The content security policy and its companions: strict everywhere, with the admin theme's allowance under /admin/.

A response is stored by no cache unless its view says otherwise: most carry a secret or personal data, and a view that
forgets to say so must not be the one that leaks them.
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
# django-unfold ships Alpine, which evaluates expressions and writes styles.
ADMIN = f"{STRICT}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
# What a response may depend on: a cache that stores it all the same must not give it to somebody else.
CREDENTIALS = ("Authorization", "Cookie", "X-API-Key")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


def admin_policy(*, forms_lead_to: str) -> str:
    """For a page of the admin with a form whose answer redirects to that origin; browsers refuse it otherwise."""
    if not ORIGIN.fullmatch(forms_lead_to):
        return ADMIN
    return ADMIN.replace("form-action 'self'", f"form-action 'self' {forms_lead_to}")


class SecurityHeadersMiddleware:
    """Adds the headers to every answer that a view made."""

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
