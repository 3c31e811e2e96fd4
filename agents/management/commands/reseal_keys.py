"""`manage.py reseal_keys`: after SECRET_KEY was rotated, before its predecessor leaves SECRET_KEY_FALLBACKS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.configuration.models import RealtimeEndpoint
from agents.configuration.services import reseal_endpoint_keys


class Command(BaseCommand):
    help = "Seal the keys of realtime endpoints by today's SECRET_KEY. Then SECRET_KEY_FALLBACKS can be emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = reseal_endpoint_keys()
        if unreadable:
            named = ", ".join(f"{endpoint.origin} of {endpoint.organization}" for endpoint in unreadable)
            raise CommandError(f"No secret key opens these; write them anew in the admin: {named}")
        self.stdout.write(f"Sealed by SECRET_KEY: {RealtimeEndpoint.objects.count()}.")
