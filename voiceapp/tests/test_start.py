"""A process starts without the garbage collector, and works with it; and without what it does not need."""

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


@pytest.mark.parametrize(("command", "has_daphne"), [("runserver", True), ("migrate", False)])
def test_only_runserver_loads_daphne(command: str, has_daphne: bool) -> None:
    code = (
        f"import sys; sys.argv = ['', '{command}']; from voiceapp.settings import *; print('daphne' in INSTALLED_APPS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [str(has_daphne)]
