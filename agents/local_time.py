"""The admin shows the times of the organisation one works for."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from agents.access import access_of
from agents.models import Organization


class LocalTimeMiddleware:
    """Activates the one time zone of the organisations that the user sees; where they differ, UTC stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            response = self.get_response(request)
            if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                response = response.render()
            return response


def zone_of(request: HttpRequest) -> ZoneInfo:
    access = access_of(request)
    rows = Organization.objects.all() if access.sees_all else Organization.objects.filter(pk__in=access.roles)
    names = list(rows.order_by().values_list("time_zone", flat=True).distinct()[:2])
    return ZoneInfo(names[0]) if len(names) == 1 else ZoneInfo("UTC")
