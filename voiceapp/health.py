"""Health: answered before anything else, for any Host, over plain http, without the database."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse


class HealthMiddleware:
    """Stands first, so that neither ALLOWED_HOSTS nor the redirect to https is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/health":
            return JsonResponse({"status": "ok", "version": settings.VERSION, "activeSessions": 0})
        return self.get_response(request)
