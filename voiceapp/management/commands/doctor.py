"""`manage.py doctor`: checks every integration and prints the fix of each problem."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand

from voiceapp.management.doctor.report import make_report


class Command(BaseCommand):
    help = "Check each integration and print the fixes; exit status 1 if there is a problem. Example: manage.py doctor"
    # A broken database is reported, it does not stop the command.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def run_from_argv(self, argv: list[str]) -> None:
        status: int | str | None = 0
        try:
            super().run_from_argv(argv)
        except SystemExit as exc:
            status = exc.code
        sys.stdout.flush()
        sys.stderr.flush()
        # A library's thread that hangs must not block the exit.
        os._exit(status if isinstance(status, int) else 1)

    def handle(self, *args: object, **options: object) -> None:
        # Libraries log failed connections, which the findings report.
        logging.disable(logging.CRITICAL)
        try:
            report = make_report()
        finally:
            logging.disable(logging.NOTSET)
        findings = report.findings
        is_well = all(finding.is_well is not False for finding in findings)
        if options["json"]:
            checks = [asdict(finding) for finding in findings]
            self.stdout.write(json.dumps({"ok": is_well, "source": report.source, "checks": checks}))
        else:
            if report.source:
                self.stdout.write(f"Checked by the web process at {report.source}:")
            width = max(len(finding.name) for finding in findings)
            for finding in findings:
                self.stdout.write(f"{finding.mark} {finding.name:<{width}}  {finding.detail}")
                if finding.fix:
                    self.stdout.write(f"  {'':<{width}}  → {finding.fix}")
            self.stdout.write("No problems found." if is_well else "Problems found.")
        if not is_well:
            sys.exit(1)
