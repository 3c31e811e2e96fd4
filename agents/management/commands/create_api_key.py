"""`manage.py create_api_key`: makes a key of an organization and prints it, once."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.organizations.models import ApiKey, Organization
from agents.organizations.scopes import Scope
from agents.organizations.services import IssuedKey, issue_key
from voiceapp.core.errors import ApplicationError

LONGEST_NAME = ApiKey._meta.get_field("name").max_length or 0
DAYS = re.compile(r"([1-9]\d{0,3})d")


class Command(BaseCommand):
    help = "Make an API key and print it, once. Example: manage.py create_api_key demo --name website --expires 90d"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", metavar="ORG", help="its id, its short name, or its id at Clerk")
        parser.add_argument("--name", default="command line", help="what the key is for")
        parser.add_argument(
            "--scopes", default=",".join(Scope), help="what it may do, separated by commas: %(default)s (all of them)"
        )
        parser.add_argument("--expires", default="", metavar="WHEN", help="90d, or a date like 2030-12-31; else never")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = find_organization(options["organization"])
        name = options["name"].strip()
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise CommandError(f"Give a name of 1 to {LONGEST_NAME} characters.")
        try:
            issued = issue_key(
                organization,
                name=name,
                scopes=read_scopes(options["scopes"]),
                expires_at=read_time(options["expires"]),
                by="command line",
            )
        except ApplicationError as exc:
            raise CommandError(str(exc)) from exc
        if options["json"]:
            self.stdout.write(json.dumps(describe(issued)))
            return
        # The key alone on standard output, so that a shell can take it.
        self.stderr.write(f"A key of {organization}. It is not shown again.")
        self.stdout.write(issued.text)


def find_organization(named: str) -> Organization:
    try:
        found = Organization.objects.filter(pk=uuid.UUID(named)).first()
    except ValueError:
        found = Organization.objects.filter(clerk_id=named).first() or Organization.objects.filter(slug=named).first()
    if found is None:
        known = ", ".join(Organization.objects.values_list("slug", flat=True)[:10])
        raise CommandError(f"There is no organization “{named}”. There are: {known or 'none'}.")
    return found


def read_scopes(text: str) -> list[Scope]:
    try:
        return [Scope(each.strip()) for each in text.split(",") if each.strip()]
    except ValueError as exc:
        raise CommandError(f"{exc}. Scopes are: {', '.join(Scope)}.") from exc


def read_time(text: str) -> dt.datetime | None:
    """The end of a day in UTC, or some days from now."""
    if not text:
        return None
    days = DAYS.fullmatch(text)
    if days:
        return timezone.now() + dt.timedelta(days=int(days[1]))
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as exc:
        raise CommandError("Say --expires as days (90d) or as a date (2030-12-31).") from exc
    return dt.datetime.combine(day, dt.time.max, tzinfo=dt.UTC)


def describe(issued: IssuedKey) -> dict[str, object]:
    key = issued.key
    return {
        "key": issued.text,
        "prefix": key.prefix,
        "name": key.name,
        "organization_id": str(key.organization_id),
        "scopes": key.scopes,
        "expires_at": key.expires_at.isoformat().replace("+00:00", "Z") if key.expires_at else None,
    }
