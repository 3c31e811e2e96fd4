"""`manage.py export_calls --organization SLUG [--filters QUERY] [--format csv|json]`: calls as a file on stdout."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.call_lists.exporting import lines_of
from sessions.call_lists.filter_form import CallFilterForm
from sessions.call_lists.narrowing import Reader, narrowed
from sessions.call_lists.queries import NAMES
from sessions.calls.models import Call
from sessions.exports.models import Export
from sessions.exports.queries import read_pairs
from sessions.exports.services import begin_export


class Command(BaseCommand):
    help = (
        "Write an organization's calls to stdout, the newest first. Example: manage.py export_calls --organization "
        'pizzeria --filters "state=failed&period=7d" > failed.csv'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--format", choices=Export.Format.values, default=Export.Format.CSV.value)
        parser.add_argument(
            "--filters", metavar="QUERY", default="", help="what stands after ? in the address of the list of calls"
        )
        parser.add_argument("--with-numbers", action="store_true", help="callers' whole numbers, which are masked else")

    def handle(self, *args: Any, organization: str, filters: str, with_numbers: bool, **options: Any) -> None:
        place = Organization.objects.filter(slug=organization).first()
        if place is None:
            raise CommandError(f"There is no organization “{organization}”. Name it as in its call page's address.")
        principal = Principal("", frozenset({place.pk}))
        wanted = self._wanted(filters, principal, place)
        reader = Reader(ZoneInfo(place.time_zone), {place.region} - {""}, sees_numbers=True)
        calls = narrowed(Call.objects.visible_to(principal), wanted, reader)
        log = begin_export(
            calls,
            kind=Export.Kind.CALLS,
            by="manage.py",
            way=Export.Way.COMMAND,
            file_format=options["format"],
            query=filters,
            has_numbers=with_numbers,
        )
        for part in lines_of(calls, options["format"], sees_numbers=lambda _: with_numbers, log=log):
            self.stdout.write(part, ending="")
        self.stderr.write(f"{log.sent.total()} calls exported.")

    def _wanted(self, filters: str, principal: Principal, place: Organization) -> dict[str, Any]:
        pairs = dict(read_pairs(filters))
        unknown = sorted(set(pairs) - set(NAMES) - {"view"})
        if unknown:
            known = ", ".join(NAMES)
            raise CommandError(f"There is no filter “{unknown[0][:80]}”. A command knows: {known}.")
        form = CallFilterForm(pairs, principal=principal, country=place.region)
        wanted = form.wanted
        if refusals := form.refusals():
            raise CommandError(" ".join(refusals))
        return wanted
