"""`manage.py load_postcodes FILE`: the postcodes of a country from a file of GeoNames, for zones with a radius."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from agents.delivery.models import PostcodePlace
from agents.delivery.postcodes import LONGEST_POSTCODE, plain

BATCH = 2000
# download.geonames.org/export/zip/readme.txt: country, postcode, place, six names of areas, latitude, longitude, …
LEAST_COLUMNS = 11


class Command(BaseCommand):
    help = (
        "Load the postcodes of a country, for zones with a radius and the check of addresses. FILE is DE.txt of "
        "https://download.geonames.org/export/zip/ (CC BY 4.0), unpacked. What was loaded of the country is replaced. "
        "Example: manage.py load_postcodes DE.txt"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open(encoding="utf-8", newline="") as lines:
                places = {(each.country, each.postcode, each.place): each for each in _read(lines)}
        except (OSError, UnicodeDecodeError) as exc:
            raise CommandError(f"{file} cannot be read: {exc}. Unpack the file of GeoNames first.") from exc
        if not places:
            raise CommandError(f"{file} has no postcodes. Use a file of download.geonames.org/export/zip/.")
        countries = {country for country, _, _ in places}
        with transaction.atomic():
            PostcodePlace.objects.filter(country__in=countries).delete()
            PostcodePlace.objects.bulk_create(places.values(), batch_size=BATCH)
        self.stdout.write(f"{len(places)} places of {', '.join(sorted(countries))} loaded.")


def _read(lines: Any) -> Iterator[PostcodePlace]:
    for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
        try:
            country, postcode, place = row[0].strip().upper(), plain(row[1]), row[2].strip()
            latitude, longitude = float(row[9]), float(row[10])
        except (IndexError, ValueError) as exc:
            raise CommandError(f"Line {number} is none of GeoNames: it needs {LEAST_COLUMNS} columns.") from exc
        if len(country) == 2 and 0 < len(postcode) <= LONGEST_POSTCODE:
            yield PostcodePlace(
                country=country, postcode=postcode, place=place[:180], latitude=latitude, longitude=longitude
            )
