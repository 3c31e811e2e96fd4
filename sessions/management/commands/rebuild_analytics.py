"""`manage.py rebuild_analytics`: counts the figures of all past days anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.organizations.models import Organization
from sessions.analytics.services import rebuild


class Command(BaseCommand):
    help = (
        "Counts the figures of analytics anew from calls, orders, appointments and texts. Workers keep them up to "
        "date: this is for a restored database, and for one that was filled by other means. Calls may go on meanwhile. "
        "Example: manage.py rebuild_analytics --organization demo"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", default="", help="only this one; else all")

    def handle(self, *args: Any, organization: str, **options: Any) -> None:
        found = Organization.objects.order_by("slug")
        if organization:
            found = found.filter(slug=organization)
            if not found:
                raise CommandError(f"There is no organization “{organization}”. Give its short name, as in its pages.")
        days = 0
        for each in found:
            for day in rebuild(each):
                days += 1
                self.stderr.write(f"{each.slug} {day}", ending="\r")
        self.stdout.write(f"{days:,} days of {found.count()} organizations are counted.")
