"""Which zone a postcode is in, and which places it has."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from agents.organizations.models import Organization

from .models import DeliverySettings, DeliveryZone, PostcodePlace
from .postcodes import distance_km, is_listed, plain


def delivers(organization: Organization) -> bool:
    """Whether it has somewhere to deliver to."""
    return DeliveryZone.objects.filter(settings__organization=organization, settings__is_on=True).exists()


def zone_of(organization: Organization, postcode: str) -> DeliveryZone | None:
    """The first zone that holds the postcode; None where it delivers nothing."""
    settings = DeliverySettings.objects.filter(organization=organization, is_on=True).first()
    if settings is None or not plain(postcode):
        return None
    zones, distances = list(settings.zones.all()), dict[str, float | None]()
    for zone in zones:
        if is_listed(plain(postcode), zone.postcodes):
            return zone
        if zone.radius_km is not None:
            if postcode not in distances:
                distances[postcode] = _distance(organization, settings.postcode, postcode)
            away = distances[postcode]
            if away is not None and away <= float(zone.radius_km):
                return zone
    return None


def places_of(organization: Organization, postcode: str) -> list[str]:
    """Empty where nothing is known of it."""
    return list(_places(organization, postcode).order_by("place").values_list("place", flat=True))


def knows_postcodes(organization: Organization) -> bool:
    """Whether those of its country were loaded, so that one which is not among them does not exist."""
    return PostcodePlace.objects.filter(country=organization.region).exists()


def _places(organization: Organization, postcode: str) -> QuerySet[PostcodePlace]:
    return PostcodePlace.objects.filter(country=organization.region, postcode=plain(postcode))


def _distance(organization: Organization, ours: str, theirs: str) -> float | None:
    """In kilometers; None where one of the two is not known."""
    here, there = _middle(organization, ours), _middle(organization, theirs)
    return None if here is None or there is None else distance_km(here, there)


def _middle(organization: Organization, postcode: str) -> tuple[float, float] | None:
    found: Sequence[tuple[float, float]] = list(_places(organization, postcode).values_list("latitude", "longitude"))
    if not found:
        return None
    return sum(each[0] for each in found) / len(found), sum(each[1] for each in found) / len(found)
