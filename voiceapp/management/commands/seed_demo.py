"""`manage.py seed_demo`: a restaurant that can be rung at once."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from voiceapp.management.demo.history import make_history
from voiceapp.management.demo.organization import Demo, make_demo


class Command(BaseCommand):
    help = "Make the demo organization, or keep the one there is. Example: manage.py seed_demo --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--orders-url", default="", help="where submitted orders are posted")

        parser.add_argument("--history", type=int, default=0, metavar="N", help="make that many past calls and orders")

    def handle(self, *args: object, **options: object) -> None:
        # The secret comes by the environment: arguments are visible to every process of the machine.
        demo = make_demo(orders_url=str(options["orders_url"]), orders_secret=os.environ.get("ORDERS_SECRET", ""))
        if options["history"]:
            added = make_history(demo.organization, demo.agent, demo.number.number, calls=int(str(options["history"])))
            self.stderr.write(f"Added {added} past calls.")
        facts = describe(demo)
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        self.stderr.write("Made the demo organization." if demo.is_new else "The demo organization was there already.")
        for name, value in facts.items():
            self.stdout.write(f"{name.replace('_', ' '):<16} {value}")


def describe(demo: Demo) -> dict[str, str]:
    """What somebody needs to ring it."""
    return {
        "organization_id": str(demo.organization.id),
        "organization": demo.organization.name,
        "agent_id": str(demo.agent.pk),
        "agent": demo.agent.name,
        "phone_number": demo.number.number,
        "webhook_url": f"{settings.PUBLIC_BASE_URL}/twiml/start?orgId={demo.organization.id}",
        "orders_url": demo.organization.orders_url,
    }
