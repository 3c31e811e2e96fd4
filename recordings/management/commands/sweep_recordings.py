"""`manage.py sweep_recordings [--dry-run]`: files without a recording, and recordings without their file."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recordings.sweeping import sweep


class Command(BaseCommand):
    help = (
        "Delete audio files that belong to no recording, also in the bucket, and mark recordings whose file is gone. "
        "Do not use it where several installations share one bucket."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what was found")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = bool(options["dry_run"])
        swept = sweep(is_dry=is_dry, removes_in_bucket=True)
        removed = "would be removed" if is_dry else "removed"
        for title, found in (
            (f"Files without a recording, {removed}", swept.orphans),
            (f"Files of a worker that died, {removed}", swept.leftovers),
            ("Recordings without their file", swept.missing),
            ("Recordings whose file is there again", swept.found_again),
            ("Recordings that no job was finishing", swept.unattended),
        ):
            self.stdout.write(f"{title}: {len(found)}")
            for each in found:
                self.stdout.write(f"  {each}")
        if swept.problems:
            raise CommandError("Not examined:\n" + "\n".join(f"  {each}" for each in swept.problems))
