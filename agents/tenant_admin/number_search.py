"""Searches that find a phone number by any part of it, in the notation of the organizations that the user sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from agents.organizations.access import access_of
from agents.organizations.models import Organization
from agents.organizations.roles import Area
from voiceapp.core.phones.search import matching, matching_whole, split_search

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    # At run time only what the class it is mixed into brings.
    from typing import Generic

    M_ = TypeVar("M_")

    class ModelAdmin(Generic[M_]):
        pass


M = TypeVar("M", bound=models.Model)


class NumberSearch(ModelAdmin[M]):
    """`number_fields` are columns of E.164. Who sees them masked finds a whole number only."""

    area: ClassVar[Area]
    number_fields: ClassVar[tuple[str, ...]] = ("number",)

    def sees_numbers(self, request: HttpRequest) -> bool:
        return True

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        typed, words = split_search(search_term)
        if not typed:
            return super().get_search_results(request, queryset, search_term)
        found, regions = Q(), regions_of(request, self.area)
        match = matching if self.sees_numbers(request) else matching_whole
        for name in self.number_fields:
            found |= match(name, typed, regions=regions)
        if words:
            return super().get_search_results(request, queryset.filter(found), words)
        by_text, _ = super().get_search_results(request, queryset, search_term)
        return queryset.filter(found | Q(pk__in=by_text.order_by().values("pk"))), False


def regions_of(request: HttpRequest, area: Area) -> set[str]:
    """Whose notations a number may be typed in: those of the organizations that the user sees there."""
    columns = ("country", "time_zone", "currency")
    seen: Any = Organization.objects.visible_to(access_of(request).principal(area)).order_by()
    places = [Organization(**dict(zip(columns, row, strict=True))) for row in seen.values_list(*columns).distinct()]
    return {place.region for place in places if place.region}
