"""`manage.py serve`: the web process."""

from __future__ import annotations

import argparse

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telephony.livekit.reconciliation import catch_up
from telephony.twilio.numbers.services import check_soon
from voiceapp.metrics import start_private_listener
from voiceapp.server import AddressUnavailable, serve


class Command(BaseCommand):
    help = "Serves HTTP and the media streams. SIGTERM drains: live calls continue, no new call is accepted."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *, host: str, port: int, **_: object) -> None:
        if settings.METRICS_LISTEN:
            self.serve_metrics(settings.METRICS_LISTEN)
        try:
            serve(host, port, when_listening=self.say_where)
        except AddressUnavailable as exc:
            fix = "End the program that listens there, or choose another port: make serve PORT=8090"
            raise CommandError(f"{host}, port {port}: {exc}. {fix}") from exc

    def serve_metrics(self, address: str) -> None:
        try:
            start_private_listener(address)
        except OSError as exc:
            raise CommandError(f"METRICS_LISTEN={address}: {exc.strerror or exc}. Choose another port.") from exc

    def say_where(self, address: str) -> None:
        self.stdout.write(f"listening on {address}")
        self.stdout.flush()
        if settings.LIVEKIT_API_KEY:
            catch_up()
        if settings.TWILIO_AUTH_TOKEN:
            check_soon()
