"""`/call/<organization>`: the page on which staff, and visitors where they may, talk with the organization's agent."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from agents.call_page.models import PUBLIC, CallAccess, CallPage, call_page_of
from agents.organizations.access import access_of
from agents.organizations.languages import known_language
from agents.organizations.models import Organization
from agents.organizations.roles import Area
from voiceapp.core.http.security_headers import framed_by, policy_connecting_to

from .admission import NOT_OPEN, why_closed
from .modules import modules_of
from .visitor_tokens import VisitorToken
from .ways import Way, ways_of

NO_WAY = _("No way to call is available here; what each needs stands below.")


@require_GET
@xframe_options_exempt  # its policy says who may show it
def call_page(request: HttpRequest, organization: str) -> HttpResponse:
    """Staff's for those who may see the organization's calls, else a visitor's. Others sign in; strangers get 404.

    `?way=room` chooses another way than the best, `?lang=de` another language than the organization's.
    """
    mine = Organization.objects.visible_to(access_of(request).principal(Area.CALLS))
    found = mine.filter(slug=organization).first()
    if found:
        return _in_language(request, call_page_of(found), is_visitor=False)
    public = CallPage.objects.filter(who_may_call__in=PUBLIC).select_related("organization")
    page = public.filter(organization__slug=organization).first()
    if page is None:
        return admin.site.admin_view(_no_page)(request)
    return _in_language(request, page, is_visitor=True)


def _no_page(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in by now: there is no such page for them."""
    raise Http404


def _in_language(request: HttpRequest, page: CallPage, *, is_visitor: bool) -> HttpResponse:
    """Callers read what the organization writes in, unless its website, or they, choose another language."""
    chosen = known_language(request.GET.get("lang", "")) or page.organization.language
    with translation.override(chosen or translation.get_language()):
        # Browsers say so at secure addresses; what a visitor may cost does not depend on it.
        is_alone = request.headers.get("Sec-Fetch-Dest") == "document"
        if is_visitor and page.who_may_call == CallAccess.SITES and is_alone:
            return _on_its_websites(request, page)
        return _page(request, page, is_visitor=is_visitor).render()


def _on_its_websites(request: HttpRequest, page: CallPage) -> HttpResponse:
    title = gettext("%(organization)s takes calls on its website") % {"organization": page.organization}
    next_step = gettext("Open %(website)s and call there.") % {"website": page.named_sites[0]}
    context = {"page": {"status": 403, "title": title, "next_step": next_step}}
    return render(request, "error.html", context, status=403)


def _page(request: HttpRequest, page: CallPage, *, is_visitor: bool) -> TemplateResponse:
    organization = page.organization
    ways = ways_of(organization)
    available = [way for way in ways if not way.problem]
    chosen = chosen_of(available, wanted=request.GET.get("way", ""))
    numbers = organization.phone_numbers.filter(is_active=True)
    problem = "" if available else gettext(NOT_OPEN.message) if is_visitor else str(NO_WAY)
    context = {
        "organization": organization,
        # What the others lack is the operator's affair.
        "ways": available if is_visitor else ways,
        "chosen": chosen,
        "may_be_recorded": any("records" in way.data for way in available),
        "modules": modules_of(chosen),
        "problem": (why_closed(page) if is_visitor else "") or problem,
        "calls": reverse("call-page", args=[organization.slug]) + "/calls/",
        "sign_in": f"{reverse('admin:login')}?next={quote(request.path)}",
        "phone_number": numbers.values_list("number", flat=True).first() or "",
        "visitor": reverse("visitor-token", args=[organization.slug]) if is_visitor else "",
        "visitor_token": VisitorToken.issue(organization.pk)[0] if is_visitor else "",
        "uses_push_to_talk": page.uses_push_to_talk,
        "simulators": settings.SIMULATORS,
    }
    response = TemplateResponse(request, "call.html", context)
    policy = policy_connecting_to(*(address for way in available for address in way.connects_to))
    response["Content-Security-Policy"] = framed_by(policy, *(page.named_sites if page.is_public else ()))
    return response


def chosen_of(available: list[Way], *, wanted: str) -> str:
    names = [way.name for way in available]
    return wanted if wanted in names else next(iter(names), "")
