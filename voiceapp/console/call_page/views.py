"""`/call/<organization>`: the page on which staff talk with the organization's agent."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area
from voiceapp.core.http.security_headers import policy_connecting_to

from .ways import Way, ways_of


@require_GET
def call_page(request: HttpRequest, organization: str) -> HttpResponse:
    """404 for organizations whose calls the user may not see. `?way=room` chooses another way than the best."""
    mine = Organization.objects.visible_to(access_of(request).principal(Area.CALLS))
    found = get_object_or_404(mine, slug=organization)
    ways = ways_of(found)
    available = [way for way in ways if not way.problem]
    numbers = found.phone_numbers.filter(is_active=True)
    context = {
        "organization": found,
        "ways": ways,
        "chosen": chosen_of(available, wanted=request.GET.get("way", "")),
        "problem": "" if available else "No way to call is available here; what each needs stands below.",
        "calls": reverse("call-page", args=[found.slug]) + "/calls/",
        "sign_in": f"{reverse('admin:login')}?next={quote(request.path)}",
        "phone_number": numbers.values_list("number", flat=True).first() or "",
        "simulators": settings.SIMULATORS,
    }
    response = TemplateResponse(request, "call.html", context)
    connects_to = [address for way in available for address in way.connects_to]
    response["Content-Security-Policy"] = policy_connecting_to(*connects_to)
    return response


def chosen_of(available: list[Way], *, wanted: str) -> str:
    names = [way.name for way in available]
    return wanted if wanted in names else next(iter(names), "")
