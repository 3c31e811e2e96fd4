"""`manage.py reseal_keys`: after SECRET_KEY was rotated, before its predecessor leaves SECRET_KEY_FALLBACKS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.configuration.models import RealtimeEndpoint
from agents.configuration.services import reseal_endpoint_keys
from agents.organizations.services import reseal_orders_secrets
from sessions.appointments.calendars.models import ConnectedCalendar
from sessions.appointments.calendars.services.connections import reseal_passwords


class Command(BaseCommand):
    help = (
        "Seal the keys of realtime endpoints, the passwords of connected calendars and the secrets of webhooks by "
        "today's SECRET_KEY. Then SECRET_KEY_FALLBACKS can be emptied."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        endpoints = [f"{endpoint.origin} of {endpoint.organization}" for endpoint in reseal_endpoint_keys()]
        organizations = [f"the order webhook secret of {organization}" for organization in reseal_orders_secrets()]
        calendars = [f"{calendar} of {calendar.resource.organization}" for calendar in reseal_passwords()]
        if unreadable := ", ".join(endpoints + organizations + calendars):
            raise CommandError(f"No secret key opens these; write them anew in the admin: {unreadable}")
        sealed = RealtimeEndpoint.objects.count() + ConnectedCalendar.objects.count()
        self.stdout.write(f"Sealed by SECRET_KEY: {sealed}.")
