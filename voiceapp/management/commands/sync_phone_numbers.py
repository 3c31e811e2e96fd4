"""`manage.py sync_phone_numbers`: point Twilio's numbers at this server, and say which are not."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telephony.twilio.models import CarrierState
from telephony.twilio.numbers.comparison import ComparedNumber, Comparison
from telephony.twilio.numbers.services import Pointed, check_numbers, point_here
from voiceapp.core.phones.numbers import show_number
from voiceapp.providers.errors import ProviderError


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # their warnings are for those who serve
    help = (
        "Point the phone numbers of the admin at this server (PUBLIC_BASE_URL). Other numbers of the Twilio account "
        "stay as they are. Example: manage.py sync_phone_numbers --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="show the differences only; exit status 1 if there are any"
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            found = check_numbers()
        except ProviderError as error:
            raise CommandError(
                f"Twilio's numbers could not be read ({error}). Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
            ) from error
        self.show(found)
        differ = found.of(CarrierState.DIFFERS)
        if options["dry_run"]:
            if differ or found.of(CarrierState.MISSING):
                raise CommandError(
                    f"{len(differ)} of {len(found.numbers)} numbers would be pointed at {settings.PUBLIC_BASE_URL}."
                )
            return
        pointed = point_here(found)
        for each in pointed:
            self.show_pointed(each)
        if any(each.error for each in pointed) or found.of(CarrierState.MISSING):
            raise CommandError("Not every number points here.")

    def show(self, found: Comparison) -> None:
        for each in found.numbers:
            self.stdout.write(f"{name(each):<24} {each.state.label}")
            for change in each.changes:
                self.stdout.write(f"{'':<24} {change}")
        for number in found.unknown:
            self.stdout.write(f"{show_number(number):<24} Not set up here: left as it is")
        if not found.numbers:
            self.stdout.write("No phone numbers are set up here. Add them in the admin, under “Phone numbers”.")

    def show_pointed(self, pointed: Pointed) -> None:
        became = f"not changed: {pointed.error}" if pointed.error else "now points here"
        self.stdout.write(f"{name(pointed.compared):<24} {became}")


def name(compared: ComparedNumber) -> str:
    return show_number(compared.number.number)
