"""`manage.py sync_assistants`: write the published agents to VAPI, and show what was changed there by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from telephony.vapi.comparison import Difference, Origin
from telephony.vapi.sync import Action, Plan, agents_at_vapi, apply_plan, plan_sync
from voiceapp.core.differences import compare
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.vapi.client import VapiClient, VapiError

NOTES = {
    Origin.OURS: "",
    Origin.BY_HAND: " (changed at VAPI by hand)",
    Origin.BOTH: " (changed here, and at VAPI by hand)",
}


class Command(BaseCommand):
    help = "Bring VAPI's assistants in step with the published agents. What was changed at VAPI by hand is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Show the differences and change nothing.")
        parser.add_argument(
            "--overwrite", action="store_true", help="Also replace what was changed or deleted at VAPI by hand."
        )
        parser.add_argument("--organization", metavar="SLUG", help="Only the agents of this organization.")

    def handle(self, *args: Any, **options: Any) -> None:
        agents = agents_at_vapi()
        if options["organization"]:
            agents = agents.filter(organization__slug=options["organization"])
        if not agents:
            self.stdout.write("No published agent answers its calls at VAPI.")
            return
        try:
            client = VapiClient.from_settings()
            plans = plan_sync(agents, client)
        except VapiError as error:
            raise CommandError(f"{error}.") from error
        failed = 0
        for plan in plans:
            self._show(plan)
            if not options["dry_run"]:
                failed += not self._apply(plan, client, overwrite=options["overwrite"])
        if failed:
            raise CommandError(f"{failed} of {len(plans)} assistants were not written.")

    def _apply(self, plan: Plan, client: VapiClient, *, overwrite: bool) -> bool:
        try:
            done = apply_plan(plan, client, by="sync_assistants", overwrite=overwrite)
        except (VapiError, ApplicationError) as error:
            self.stderr.write(f"  not written: {error}")
            return False
        written = {Action.CREATE: "created", Action.UPDATE: "updated"}.get(done)
        if written:
            self.stdout.write(f"  {written}")
        if plan.by_hand and not overwrite:
            kept = ", ".join(each.label for each in plan.by_hand)
            self.stdout.write(f"  kept as it is at VAPI: {kept}. --overwrite replaces it.")
        elif plan.action is Action.DELETED and not overwrite:
            self.stdout.write("  not made again. --overwrite does it.")
        return True

    def _show(self, plan: Plan) -> None:
        self.stdout.write(
            f"{plan.agent.organization}: {plan.agent}, {plan.assistant_id or 'no assistant'}: {plan.action}"
        )
        for each in plan.differences:
            self._show_difference(each)

    def _show_difference(self, difference: Difference) -> None:
        self.stdout.write(f"  {difference.label}{NOTES[difference.origin]}")
        for line in compare(difference.theirs, difference.ours):
            self.stdout.write(f"    {line.mark} {line.text}")
