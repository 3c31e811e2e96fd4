"""`manage.py serve`: the web process."""

from __future__ import annotations

import argparse

from django.conf import settings
from django.core.management.base import BaseCommand

from telephony.livekit.reconciliation import catch_up
from voiceapp.metrics import start_private_listener
from voiceapp.server import serve


class Command(BaseCommand):
    help = "Serves HTTP and the media streams. SIGTERM drains: live calls go on, no new one is taken."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *, host: str, port: int, **_: object) -> None:
        if settings.METRICS_LISTEN:
            start_private_listener(settings.METRICS_LISTEN)
        serve(host, port, when_listening=self.say_where)

    def say_where(self, address: str) -> None:
        self.stdout.write(f"listening on {address}")
        self.stdout.flush()
        if settings.LIVEKIT_API_KEY:
            catch_up()
