"""`manage.py import_menu`: makes a menu as a file says, all of it or nothing."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.catalog.exchange.command_line import find_menu
from agents.catalog.exchange.files import read_file, too_large
from agents.catalog.exchange.plan import Action, Change, Plan
from agents.catalog.exchange.services import apply_table, preview
from agents.catalog.exchange.table import MAX_FILE_BYTES, Table
from voiceapp.core.errors import ApplicationError


class Command(BaseCommand):
    help = (
        "Import a menu from CSV, XLSX or JSON. Prints what differs; --dry-run saves nothing. "
        "Example: manage.py import_menu menu.xlsx bella-napoli --dry-run"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="as manage.py export_menu or the menu's page writes it")
        parser.add_argument("menu", help="its id, or its organization's short name")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--stock", action="store_true", help="also import sold out, sold out until, quantity left")
        parser.add_argument("--remove", action="store_true", help="remove from the menu what the file does not have")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        menu, table = find_menu(options["menu"]), read(options["file"])
        plan = preview(menu, table, with_stock=options["stock"])
        if plan.problems:
            for problem in plan.shown_problems:
                self.stderr.write(str(problem))
            number = f"{len(plan.problems)} problem{'' if len(plan.problems) == 1 else 's'}"
            raise CommandError(f"{number}: nothing was imported. Correct the file.")
        if not options["dry_run"]:
            try:
                plan = apply_table(
                    menu, table, by="command line", title=f"Import of {Path(options['file']).name}",
                    digest=plan.digest, with_stock=options["stock"], remove=options["remove"],
                )  # fmt: skip
            except ApplicationError as exc:
                raise CommandError(str(exc)) from exc
        self._print(plan, **options)

    def _print(self, plan: Plan, **options: Any) -> None:
        if options["json"]:
            changes = [describe(change) for change in plan.changes]
            self.stdout.write(json.dumps({"saved": not options["dry_run"], "changes": changes}))
            return
        for note in plan.notes:
            self.stderr.write(note)
        for change in plan.changes:
            self.stdout.write(as_line(change, removes=options["remove"]))
        if plan.ignored_stock:
            self.stderr.write(f"Availability is other in {plan.ignored_stock} rows and stays; --stock imports it.")
        numbers = ", ".join(f"{len(plan.of(action))} {action}" for action in Action)
        self.stderr.write(f"{numbers}. " + ("Nothing was saved (dry run)." if options["dry_run"] else "Saved."))


def read(name: str) -> Table:
    try:
        path = Path(name)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large(path.stat().st_size)
        return read_file(path.read_bytes())
    except OSError as exc:
        raise CommandError(f"{name} cannot be read: {exc.strerror}. Give another file.") from exc
    except ApplicationError as exc:
        raise CommandError(str(exc)) from exc


def as_line(change: Change, *, removes: bool) -> str:
    """“~ item Pizzas › Margherita: price 9.50 → 9.90”"""
    mark = {Action.ADDED: "+", Action.CHANGED: "~", Action.MISSING: "-" if removes else "?"}[change.action]
    cells = [f"{each.column} {each.old or 'empty'} → {each.new or 'empty'}" for each in change.differences]
    rest = f": {', '.join(cells)}" if cells else ""
    return f"{mark} {change.kind} {change.label}{rest}"


def describe(change: Change) -> dict[str, object]:
    differences = [{"column": each.column, "old": each.old, "new": each.new} for each in change.differences]
    return {"action": change.action, "kind": change.kind, "id": change.node.pk, "name": change.label,
            "row": change.row, "differences": differences}  # fmt: skip
