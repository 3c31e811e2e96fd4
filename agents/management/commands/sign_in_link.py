"""`manage.py sign_in_link`: prints a link that signs a user in once, within ten minutes."""

from __future__ import annotations

from argparse import ArgumentParser

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from agents.organizations.sign_in_links import make_sign_in_link


class Command(BaseCommand):
    help = "Print a one-time sign-in link, valid for ten minutes. Example: manage.py sign_in_link admin"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: object, **options: object) -> None:
        name = str(options["username"])
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            create = f"manage.py createsuperuser --username {name}"
            raise CommandError(f"There is no active user {name!r}. Create one: {create}")
        self.stdout.write(make_sign_in_link(user))
