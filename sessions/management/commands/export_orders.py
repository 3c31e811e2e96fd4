"""`manage.py export_orders --organization SLUG [--since DATE] [--format csv|json]`: orders as a file on stdout."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.organizations.models import Organization
from sessions.exports.models import Export
from sessions.exports.services import begin_export
from sessions.orders.exporting import lines_of
from sessions.orders.models import Order


class Command(BaseCommand):
    help = (
        "Write an organization's orders to stdout, with the POS IDs of its menu. Example: manage.py export_orders "
        "--organization bella-napoli --since 2026-11-01 > orders.csv"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", required=True)
        parser.add_argument("--format", choices=Export.Format.values, default=Export.Format.CSV.value)
        parser.add_argument(
            "--since", metavar="DATE", type=_day, help="the first day, in the organization's time zone, like 2026-12-24"
        )
        parser.add_argument("--with-numbers", action="store_true", help="customers' whole numbers, masked else")

    def handle(self, *args: Any, organization: str, since: dt.date | None, with_numbers: bool, **options: Any) -> None:
        place = Organization.objects.filter(slug=organization).first()
        if place is None:
            raise CommandError(f"There is no organization “{organization}”. Name it as in its call page's address.")
        orders = Order.objects.filter(organization=place)
        if since is not None:
            orders = orders.filter(created_at__gte=dt.datetime.combine(since, dt.time.min, place.zone))
        form = Export.Format(options["format"])
        log = begin_export(
            orders,
            kind=Export.Kind.ORDERS,
            by="manage.py",
            way=Export.Way.COMMAND,
            file_format=form,
            query=f"since={since}" if since else "",
            has_numbers=with_numbers,
        )
        for part in lines_of(orders, form, sees_customers=lambda _: with_numbers, log=log):
            self.stdout.write(part, ending="")
        self.stderr.write(f"{log.sent.total()} orders exported.")


def _day(text: str) -> dt.date:
    day = dt.date.fromisoformat(text)
    if not 2000 <= day.year <= 2200:
        raise ValueError(text)
    return day
