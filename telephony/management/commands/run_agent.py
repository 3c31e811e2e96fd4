"""`manage.py run_agent`: the worker whose agents speak in LiveKit rooms."""

from __future__ import annotations

import asyncio
import importlib
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

MISSING = "The packages of the agents' worker are missing: run `make setup-agent` (about 300 MB)."


class Command(BaseCommand):
    """Ends on SIGTERM, when its calls are over."""

    help = "Run the worker whose agents speak in LiveKit rooms."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--idle", type=int, default=1, help="processes that wait for a call (default: 1)")
        parser.add_argument("--calls", type=int, default=10, help="the most calls at once (default: 10)")
        parser.add_argument("--port", type=int, default=0, help="of the health check on 127.0.0.1 (default: any)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LIVEKIT_HOST:
            raise CommandError("Set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET first.")
        try:
            # Only this process has these packages.
            agent = importlib.import_module("telephony.livekit.agent.server")
        except ModuleNotFoundError as exc:
            raise CommandError(MISSING) from exc
        server = agent.agent_server(idle=options["idle"], most_calls=options["calls"], port=options["port"])
        asyncio.run(agent.serve(server, lambda: self.stdout.write(f"Registered as {settings.LIVEKIT_AGENT_NAME}.")))
