"""What each role sees first after signing in: the page of its daily work."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Role
from agents.organizations.trades import Trade

TODAY = "admin:index"
LIVE_CALLS = "live-calls"
DAY_PLAN = "day-plans"
# Of a user with several roles, the first of these counts.
FIRST_PAGES: Mapping[Role, str] = {
    Role.OWNER: "analytics",
    Role.MANAGER: TODAY,
    Role.STAFF: LIVE_CALLS,
    Role.VIEWER: TODAY,
    Role.KITCHEN: "order-boards",
}
# Where the day is appointments, staff see these first.
FIRST_PAGES_OF_STAFF: Mapping[Trade, str] = {Trade.GARAGE: DAY_PLAN}


def first_page_of(request: HttpRequest) -> str:
    """The address of the user's first page."""
    roles = access_of(request).roles
    role = next((role for role in FIRST_PAGES if role in roles.values()), None)
    if role is Role.STAFF:
        places = [organization for organization, each in roles.items() if each is role]
        trades = set(Organization.objects.filter(pk__in=places).values_list("trade", flat=True))
        only = Trade(trades.pop()) if len(trades) == 1 else None
        return reverse(FIRST_PAGES_OF_STAFF.get(only, LIVE_CALLS) if only else LIVE_CALLS)
    return reverse(FIRST_PAGES[role] if role is not None else TODAY)


def go(request: HttpRequest) -> HttpResponseBase:
    """Where a sign-in ends."""
    return HttpResponseRedirect(first_page_of(request))


def index(request: HttpRequest) -> HttpResponseBase:
    """The dashboard; who comes from the login page sees the first page of the role."""
    came_from = request.headers.get("Referer", "").partition("?")[0]
    wanted = first_page_of(request) if came_from.endswith(reverse("admin:login")) else reverse(TODAY)
    return admin.site.index(request) if wanted == reverse(TODAY) else HttpResponseRedirect(wanted)
