"""Health and home page: before all other middleware, for any Host, over plain http, without the database."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation

from voiceapp.console.navigation import simulated_providers
from voiceapp.core.http.security_headers import STRICT
from voiceapp.core.serving import serving
from voiceapp.error_pages import wants_page
from voiceapp.readiness import what_is_down


def health() -> JsonResponse:
    """The process runs. `activeSessions` is the number of live calls in it."""
    return JsonResponse({"status": "ok", "version": settings.VERSION, "activeSessions": serving.live_calls})


def ready() -> JsonResponse:
    """Whether new calls should be routed here: 503 while draining, while full, or if a dependency is down."""
    down = what_is_down()
    status = "ready"
    if serving.is_draining:
        status = "draining"
    elif any(down.values()):
        status = "not ready"
    elif serving.is_full:
        status = "full"
    report = {
        "status": status,
        "checks": {name: "down" if is_down else "ok" for name, is_down in down.items()},
        "liveCalls": serving.live_calls,
        "maxLiveCalls": settings.MAX_LIVE_CALLS,
    }
    return JsonResponse(report, status=200 if status == "ready" else 503)


def home(request: HttpRequest) -> HttpResponse:
    """A page for browsers, the status for other clients."""
    if not wants_page(request):
        return JsonResponse({"status": "ok"})
    context = {
        "version": settings.VERSION,
        "live_calls": serving.live_calls,
        "is_draining": serving.is_draining,
        "simulators": simulated_providers(),
        "call_page": f"/call/{settings.DEMO_ORGANIZATION}" if settings.DEMO_ORGANIZATION else "",
    }
    with translation.override(translation.get_language_from_request(request)):
        return HttpResponse(render_to_string("home.html", context))


class HealthMiddleware:
    """First in the list, so that neither ALLOWED_HOSTS nor the redirect to https applies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in ("/", "/health", "/health/ready"):
            return self.get_response(request)
        is_read = request.method in ("GET", "HEAD")
        response = self.respond(request) if is_read else HttpResponseNotAllowed(["GET", "HEAD"])
        response["Cache-Control"] = "no-store"
        response["Vary"] = "Accept, Accept-Language, Cookie"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = STRICT
        return response

    def respond(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/health":
            return health()
        if request.path == "/health/ready":
            return ready()
        return home(request)
