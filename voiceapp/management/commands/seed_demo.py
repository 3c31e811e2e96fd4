"""`manage.py seed_demo`: a restaurant, and a garage, that can be rung at once."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from agents.call_page.models import CallAccess, CallPage
from voiceapp.management.demo.alerts import raise_alerts
from voiceapp.management.demo.board import fill_board
from voiceapp.management.demo.examples import make_examples
from voiceapp.management.demo.garage import make_garage
from voiceapp.management.demo.history import make_history
from voiceapp.management.demo.organization import Demo, make_demo
from voiceapp.management.demo.plan import fill_plan
from voiceapp.management.demo.scenarios import make_scenarios
from voiceapp.management.demo.simulated_numbers import buy_simulated_numbers


class Command(BaseCommand):
    help = "Make the demo organization, or keep the one there is. Example: manage.py seed_demo --garage --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--orders-url", default="", help="where orders and appointments are posted")
        parser.add_argument("--garage", action="store_true", help="make the demo garage as well")
        parser.add_argument(
            "--open-call-pages", action="store_true", help="let anyone who reaches this server call on the demo's pages"
        )
        parser.add_argument("--examples", action="store_true", help="make people, transfers, voicemail and texts")
        parser.add_argument("--history", type=int, default=0, metavar="N", help="make that many past calls and orders")

    def handle(self, *args: object, **options: object) -> None:
        # The secret comes by the environment: arguments are visible to every process of the machine.
        receiver = {"orders_url": str(options["orders_url"]), "orders_secret": os.environ.get("ORDERS_SECRET", "")}
        demo = make_demo(**receiver)
        if options["history"]:
            added = make_history(demo.organization, demo.agent, demo.number.number, calls=int(str(options["history"])))
            self.stderr.write(f"Added {added} past calls.")
            fill_board(demo.organization)
            raise_alerts(demo.organization)
        if options["examples"]:
            make_examples(demo)
        make_scenarios(demo.organization, demo.agent)
        garage = make_garage(**receiver) if options["garage"] else None
        if garage is not None:
            fill_plan(garage.organization)
        if options["open_call_pages"]:
            for each in (demo, garage):
                open_call_page(each)
        if "twilio" in settings.SIMULATORS:
            buy_simulated_numbers()
        if options["json"]:
            self.stdout.write(json.dumps(describe(demo) | ({"garage": describe(garage)} if garage else {})))
            return
        self.report(demo, "demo organization")
        if garage is not None:
            self.report(garage, "demo garage")

    def report(self, demo: Demo, what: str) -> None:
        self.stderr.write(f"Made the {what}." if demo.is_new else f"The {what} was there already.")
        for name, value in describe(demo).items():
            self.stdout.write(f"{name.replace('_', ' '):<16} {value}")


def open_call_page(demo: Demo | None) -> None:
    """A page that somebody has set up stays as it is."""
    if demo is not None:
        CallPage.objects.get_or_create(organization=demo.organization, defaults={"who_may_call": CallAccess.LINK})


def describe(demo: Demo) -> dict[str, object]:
    """What somebody needs to ring it."""
    return {
        "organization_id": str(demo.organization.id),
        "organization": demo.organization.name,
        "agent_id": str(demo.agent.pk),
        "agent": demo.agent.name,
        "phone_number": demo.number.number,
        "webhook_url": f"{settings.PUBLIC_BASE_URL}/twiml/start?orgId={demo.organization.id}",
        "orders_url": demo.organization.webhook_endpoints.values_list("url", flat=True).first() or "",
    }
