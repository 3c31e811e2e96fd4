"""A process starts without the garbage collector, and works with it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

REPORT = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
WORKER = f"from voiceapp.celery import app; app.loader.init_worker(); {REPORT}"


@pytest.mark.parametrize(
    "command", [["manage.py", "shell", "--no-imports", "-c", REPORT], ["-c", WORKER]], ids=["command", "worker"]
)
def test_garbage_is_collected_after_the_start_and_what_was_imported_is_left_alone(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["True", "True"]
