"""The filters of the admin's list of calls: one form, beside the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ListFilter, ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents.hours.local_time import country_of_page
from agents.organizations.access import access_of
from agents.organizations.roles import Area
from agents.tenant_admin.number_search import regions_of
from sessions.call_lists.filter_form import CallFilterForm
from sessions.call_lists.narrowing import Reader, narrowed
from sessions.call_lists.queries import NAMES
from sessions.calls.models import Call

VIEW = "view"


class CallFilters(ListFilter):
    """What cannot be understood does not filter, and is said above the list."""

    title = _("calls")
    template = "admin/calls/filters.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: ModelAdmin[Any]
    ) -> None:
        super().__init__(request, params, model, model_admin)
        typed = {name: params.pop(name)[-1] for name in NAMES if name in params}
        self.used_parameters = dict[str, Any](typed)
        self.view = params.pop(VIEW, [""])[-1]
        principal = access_of(request).principal(Area.CALLS)
        self.form = CallFilterForm(typed, principal=principal, country=country_of_page(request))
        self.wanted = self.form.wanted

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*NAMES]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield {"form": self.form}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return narrowed(queryset, self.wanted, reader_of(request, has_number="number" in self.wanted))


def reader_of(request: HttpRequest, *, has_number: bool) -> Reader:
    """A query for the notations of numbers, only where one is looked for."""
    return Reader(
        zone=timezone.get_current_timezone(),
        regions=regions_of(request, Area.CALLS) if has_number else frozenset(),
        sees_numbers=sees_all_numbers(request),
    )


def sees_all_numbers(request: HttpRequest) -> bool:
    """In each organization whose calls the user sees."""
    access = access_of(request)
    return access.sees_all or all(map(access.sees_numbers_of, access.organizations(Area.CALLS)))
