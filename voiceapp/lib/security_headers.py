"""The content security policy and its companions: strict everywhere, with the admin theme's allowance under /admin/."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

STRICT = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "img-src 'self' data:"
)
# django-unfold ships Alpine, which evaluates expressions and writes styles.
ADMIN = f"{STRICT}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"


class SecurityHeadersMiddleware:
    """Adds the headers to every answer that a view made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", ADMIN if request.path.startswith("/admin/") else STRICT)
        response.setdefault("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
        return response
