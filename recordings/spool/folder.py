"""Where spool files are: in a folder of RECORDINGS_DIR, which web processes and workers share."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

ENDING = ".tape"


def spool_folder() -> Path:
    return Path(settings.RECORDINGS_DIR) / "spool"


def spool_path(tape_id: str) -> Path:
    """`tape_id` is ours: letters and digits."""
    return spool_folder() / f"{tape_id}{ENDING}"
