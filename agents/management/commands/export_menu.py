"""`manage.py export_menu`: writes a menu as CSV, XLSX or JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.catalog.exchange.command_line import find_menu
from agents.catalog.exchange.files import Format, write_file
from agents.catalog.exchange.state import MenuState


class Command(BaseCommand):
    help = "Write a menu as a file. Example: manage.py export_menu bella-napoli --output menu.xlsx"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("menu", help="its id, or its organization's short name")
        parser.add_argument("--format", choices=list(Format), help="else by the name of the file, else csv")
        parser.add_argument("--output", metavar="FILE", default="", help="else standard output, for csv and json")

    def handle(self, *args: Any, **options: Any) -> None:
        menu, output = find_menu(options["menu"]), options["output"]
        form = Format(options["format"] or format_of(output))
        rows = MenuState(menu).rows()
        content = write_file(rows, form)
        if not output:
            if form is Format.XLSX:
                raise CommandError("XLSX is no text. Give the file: --output menu.xlsx")
            self.stdout.write(content.decode("utf-8-sig"), ending="")
            return
        try:
            Path(output).write_bytes(content)
        except OSError as exc:
            raise CommandError(f"{output} cannot be written: {exc.strerror}. Give another --output.") from exc
        self.stderr.write(f"{len(rows)} rows of {menu} are in {output}.")


def format_of(name: str) -> str:
    """By the name's ending; CSV where that says nothing."""
    ending = Path(name).suffix.removeprefix(".").lower()
    return ending if ending in list(Format) else Format.CSV
