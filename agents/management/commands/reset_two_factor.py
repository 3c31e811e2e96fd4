"""`manage.py reset_two_factor`: a user whose phone and recovery codes are lost signs in with the password alone."""

from __future__ import annotations

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from agents.two_factor.services import reset


class Command(BaseCommand):
    help = "Take a user's second factor away, for example if the phone is lost. Example: manage.py reset_two_factor bob"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: object, **options: object) -> None:
        name = str(options["username"])
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name!r}. List them in the admin under Users, or under People.")
        said = "has no second factor now; it was taken away" if reset(user) else "had no second factor"
        self.stdout.write(f"{name} {said}.")
