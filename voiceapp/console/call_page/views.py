"""`/call/<organization>`: the page on which staff talk with the organization's agent, in a LiveKit room."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_GET

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area
from voiceapp.core.http.security_headers import policy_connecting_to

# make livekit-client puts it there.
LIBRARY = "vendor/livekit-client.umd.js"
NOT_CONFIGURED = "Calls in the browser need LiveKit: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET."
NO_LIBRARY = "The page lacks livekit-client: run “make livekit-client” on the server, which needs npm, and reload."


@require_GET
def call_page(request: HttpRequest, organization: str) -> HttpResponse:
    """404 for organizations whose calls the user may not see."""
    mine = Organization.objects.visible_to(access_of(request).principal(Area.CALLS))
    found = get_object_or_404(mine, slug=organization)
    has_library = finders.find(LIBRARY) is not None
    problem = "" if settings.LIVEKIT_HOST else NOT_CONFIGURED
    problem = problem or ("" if has_library else NO_LIBRARY)
    context = {
        "organization": found,
        "problem": problem,
        "library": static(LIBRARY) if has_library else "",
        "start": reverse("call-page-session", args=[found.slug]),
        "simulators": settings.SIMULATORS,
    }
    response = TemplateResponse(request, "call.html", context)
    response["Content-Security-Policy"] = policy_connecting_to(*addresses_of(settings.LIVEKIT_HOST))
    return response


def addresses_of(livekit_host: str) -> list[str]:
    """What livekit-client connects to: the server's socket and its HTTP, and in LiveKit Cloud those of its regions."""
    parts = urlsplit(livekit_host)
    if not parts.netloc:
        return []
    is_secure = parts.scheme in ("wss", "https")
    hosts = [parts.netloc] + (["*.livekit.cloud"] if parts.netloc.endswith(".livekit.cloud") else [])
    schemes = ("wss", "https") if is_secure else ("ws", "http")
    return [f"{scheme}://{host}" for host in hosts for scheme in schemes]
