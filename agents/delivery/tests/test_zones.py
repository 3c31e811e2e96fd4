"""Which zone a postcode is in, by list and by radius."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from agents.delivery.models import DeliverySettings, DeliveryZone, PostcodePlace
from agents.delivery.postcodes import distance_km, is_listed, plain
from agents.delivery.queries import delivers, places_of, zone_of
from agents.tests.builders import make_organization

pytestmark = pytest.mark.embedded
LINES = (
    "DE\t10115\tBerlin\tBerlin\tBE\t\t00\tBerlin\t11000\t52.5323\t13.3846\t4\n"
    "DE\t10999\tBerlin\tBerlin\tBE\t\t00\tBerlin\t11000\t52.4982\t13.4287\t4\n"
    "DE\t14467\tPotsdam\tBrandenburg\tBB\t\t00\tPotsdam\t12054\t52.4009\t13.0591\t4\n"
)


def test_postcodes_are_compared_however_they_are_written() -> None:
    assert is_listed(plain("sw1a 1aa"), "EC1, SW1A 1AA") is False  # a space separates
    assert is_listed(plain("sw1a 1aa"), "EC1; SW1A1AA")
    assert is_listed("10117", "104*, 101*")
    assert not is_listed("10117", "1011, *")


def test_distances_are_right() -> None:
    berlin, potsdam = (52.5323, 13.3846), (52.4009, 13.0591)
    assert 26 < distance_km(berlin, potsdam) < 27


@pytest.mark.django_db
def test_the_first_zone_that_holds_a_postcode_counts(tmp_path: Path) -> None:
    organization = make_organization()
    assert not delivers(organization)
    settings = DeliverySettings.objects.create(organization=organization, postcode="10115")
    near = DeliveryZone.objects.create(settings=settings, name="Near", postcodes="10115", position=1)
    around = DeliveryZone.objects.create(settings=settings, name="Around", radius_km=Decimal(6), position=2)
    assert delivers(organization)
    assert zone_of(organization, "10115") == near
    assert zone_of(organization, "10999") is None  # nobody knows where it is
    file = tmp_path / "DE.txt"
    file.write_text(LINES)
    call_command("load_postcodes", file)
    call_command("load_postcodes", file)
    assert PostcodePlace.objects.count() == 3
    assert places_of(organization, "14467") == ["Potsdam"]
    assert (zone_of(organization, "10999"), zone_of(organization, "14467")) == (around, None)
    settings.is_on = False
    settings.save()
    assert (zone_of(organization, "10115"), delivers(organization)) == (None, False)


@pytest.mark.django_db
def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("postcode,place\n10115,Berlin\n")
    with pytest.raises(CommandError, match="Line 1 is none of GeoNames"):
        call_command("load_postcodes", file)


def test_a_zone_needs_postcodes_or_a_radius() -> None:
    with pytest.raises(ValidationError, match="Enter postcodes, or a radius"):
        DeliveryZone(name="Nowhere").clean()
    with pytest.raises(ValidationError, match="is no postcode"):
        DeliveryZone(name="Everywhere", postcodes="*").clean()
