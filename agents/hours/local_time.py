"""Times as the people of an organization read and write them: in its zone, in one format, by its country's habits.

The database and the API keep UTC. A page about one record shows the zone of the record's organization; a list shows
each row in its own, and names the zone where they differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext

from agents.organizations.access import access_of, organization_id_of
from agents.organizations.models import Organization
from agents.organizations.tenancy import TenantModel

# Countries that write the month first. What has dots or begins with a year reads the same everywhere.
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW", "PR", "GU", "VI"})
ISO_DATE = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d")
DAY_FIRST_DATES = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y")
MONTH_FIRST_DATES = ("%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y")
NAMED_DATES = ("%d %b %Y", "%d %B %Y", "%d. %B %Y", "%b %d %Y", "%b %d, %Y", "%B %d %Y", "%B %d, %Y")
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H.%M", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p", "%Hh%M", "%Hh")


# By organization, for the columns of a list: Django gives them the row alone, not the request.
_shown_zones: ContextVar[Mapping[UUID, ZoneInfo]] = ContextVar("shown_zones", default={})  # noqa: B039 - never changed


class LocalTimeMiddleware:
    """Activates the zone of the record that a page of the admin is about, else the one that the user works in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        zones = zones_of(request)
        shown = _shown_zones.set(zones)
        try:
            with timezone.override(own_zone(zones)):
                response = self.get_response(request)
                if hasattr(response, "render") and not getattr(response, "is_rendered", True):
                    response = response.render()
                return response
        finally:
            _shown_zones.reset(shown)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        model_admin = getattr(view, "model_admin", None)
        if model_admin is None or not request.user.is_authenticated:
            return
        organization_id = organization_of_page(request, model_admin, kwargs.get("object_id"))
        setattr(request, "_organization_of_page", organization_id)  # noqa: B010 - no attribute of HttpRequest's
        zone = zones_of(request).get(organization_id) if organization_id else None
        if zone is not None:
            timezone.activate(zone)


def organization_of_page(request: HttpRequest, model_admin: Any, object_id: str | None) -> UUID | None:
    """Of the record that is shown, or of the one that is being made, by what its form says it belongs to."""
    if not issubclass(model_admin.model, TenantModel):
        return None
    if object_id:
        row = model_admin.get_object(request, object_id)
        return None if row is None else organization_id_of(row)
    for field in model_admin.model._meta.concrete_fields:
        related, chosen = field.related_model, request.POST.get(field.name, "")
        if chosen and isinstance(related, type) and issubclass(related, TenantModel):
            try:
                owner = related._default_manager.get(pk=chosen)
            except (related.DoesNotExist, ValueError, forms.ValidationError):
                continue
            return organization_id_of(owner)
    return None


def country_of_page(request: HttpRequest) -> str:
    """By whose habits its dates are read: the record's organization, else the only one that the user sees."""
    known: str | None = getattr(request, "_country_of_page", None)
    if known is None:
        page = getattr(request, "_organization_of_page", None)
        candidates = [page] if page else list(zones_of(request))[:2]
        only = Organization.objects.filter(pk=candidates[0]).first() if len(candidates) == 1 else None
        known = only.region if only else ""
        setattr(request, "_country_of_page", known)  # noqa: B010 - no attribute of HttpRequest's
    return known


def zones_of(request: HttpRequest) -> Mapping[UUID, ZoneInfo]:
    """The zone of each organization whose rows the user may see, read once per request."""
    known: Mapping[UUID, ZoneInfo] | None = getattr(request, "_zones", None)
    if known is None:
        access = access_of(request)
        rows = Organization.objects.all() if access.sees_all else Organization.objects.filter(pk__in=access.roles)
        known = {pk: ZoneInfo(name) for pk, name in rows.order_by("created_at").values_list("pk", "time_zone")}
        setattr(request, "_zones", known)  # noqa: B010 - HttpRequest declares no such attribute
    return known


def own_zone(zones: Mapping[UUID, ZoneInfo]) -> ZoneInfo:
    """For what belongs to no record: the zone of all organizations that the user sees; UTC where they differ."""
    different = set(zones.values())
    return different.pop() if len(different) == 1 else ZoneInfo("UTC")


def when(at: dt.datetime | None, zone: dt.tzinfo | None = None, *, is_zone_named: bool = False) -> str:
    """“Sat 28 Nov 2026, 09:05”, in the active zone unless one is given; with its name where several are shown."""
    if at is None:
        return "–"
    local = timezone.localtime(at, zone)
    shown = formats.date_format(local, "DATETIME_FORMAT")
    return f"{shown} {local:%Z}" if is_zone_named else shown


def when_of(row: models.Model, at: dt.datetime | None) -> str:
    """The time of a row in a list of the admin, in the zone of the row's organization."""
    if not zones_differ():
        return when(at)
    return when(at, zone_of_row(row), is_zone_named=True)


def zones_differ() -> bool:
    """Whether the rows of one list may belong to different zones."""
    return len(set(_shown_zones.get().values())) > 1


def zone_of_row(row: models.Model) -> ZoneInfo:
    owner = organization_id_of(row) if isinstance(row, TenantModel) else None
    return _shown_zones.get().get(owner, ZoneInfo("UTC")) if owner else ZoneInfo("UTC")


def midnights(request: HttpRequest, now: dt.datetime) -> Mapping[str, dt.datetime]:
    """When today began, by the zones of the organizations that the user sees; UTC for what belongs to none."""
    zones = {zone.key: zone for zone in zones_of(request).values()} or {"UTC": ZoneInfo("UTC")}
    return {
        name: now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) for name, zone in zones.items()
    }


def read_by_country(field: forms.Field | None, country: str) -> forms.Field | None:
    """Let a form's field take dates and times as people of the country write them, and say how where one is refused."""
    date_formats = (*ISO_DATE, *(MONTH_FIRST_DATES if country in MONTH_FIRST else DAY_FIRST_DATES), *NAMED_DATES)
    example = "12/24/2026" if country in MONTH_FIRST else "24.12.2026"
    parts = field.fields if isinstance(field, forms.MultiValueField) else (field,)
    for part in parts:
        if isinstance(part, forms.DateField):
            part.input_formats = date_formats
            part.error_messages["invalid"] = gettext("Write the date like 2026-12-24 or %(example)s.") % {
                "example": example
            }
        elif isinstance(part, forms.TimeField):
            part.input_formats = TIMES
            part.error_messages["invalid"] = gettext("Write the time like 17:30 or 5:30 pm.")
    if isinstance(field, forms.MultiValueField):
        zone = timezone.get_current_timezone_name()
        field.help_text = (
            f"{field.help_text} In {zone}.".strip()
            if field.help_text
            else gettext("A time in %(zone)s.") % {"zone": zone}
        )
        field.error_messages["invalid_date"] = gettext("Write the date like 2026-12-24 or %(example)s.") % {
            "example": example
        }
        field.error_messages["invalid_time"] = gettext("Write the time like 17:30 or 5:30 pm.")
    return field
