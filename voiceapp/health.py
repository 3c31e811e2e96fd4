"""Health and home: answered before anything else, for any Host, over plain http, without the database."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string

from voiceapp.console.navigation import simulated_providers
from voiceapp.core.http.security_headers import STRICT
from voiceapp.core.serving import serving
from voiceapp.error_pages import wants_page
from voiceapp.readiness import what_is_down


def health() -> JsonResponse:
    """The process lives. `activeSessions` are the calls whose media it carries."""
    return JsonResponse({"status": "ok", "version": settings.VERSION, "activeSessions": serving.live_calls})


def ready() -> JsonResponse:
    """Whether new calls should be sent here: 503 while stopping or without something that a call needs."""
    down = what_is_down()
    checks = {name: "down" if is_down else "ok" for name, is_down in down.items()}
    is_ready = not serving.is_draining and not any(down.values())
    status = "draining" if serving.is_draining else "ready" if is_ready else "not ready"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)


def home(request: HttpRequest) -> HttpResponse:
    """A page for a browser, the status for a machine."""
    if not wants_page(request):
        return JsonResponse({"status": "ok"})
    context = {
        "version": settings.VERSION,
        "live_calls": serving.live_calls,
        "is_draining": serving.is_draining,
        "simulators": simulated_providers(),
    }
    return HttpResponse(render_to_string("home.html", context))


class HealthMiddleware:
    """Stands first, so that neither ALLOWED_HOSTS nor the redirect to https is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in ("/", "/health", "/health/ready"):
            return self.get_response(request)
        is_read = request.method in ("GET", "HEAD")
        response = self.answer(request) if is_read else HttpResponseNotAllowed(["GET", "HEAD"])
        response["Cache-Control"] = "no-store"
        response["Vary"] = "Accept"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = STRICT
        return response

    def answer(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/health":
            return health()
        if request.path == "/health/ready":
            return ready()
        return home(request)
