"""The first minutes: what stops `make` from setting up is a sentence with the fix."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = [pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"), pytest.mark.embedded]


def make(folder: Path, **programs: str) -> tuple[int, str]:
    """`make setup` into a new environment, with these shell programs before the real ones."""
    tools = folder / "tools"
    tools.mkdir()
    for name, script in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    command = ["make", "setup", f"VENV={folder / 'venv'}"]
    command += [f"PYTHON={tools / 'python3.11'}"] if "python3.11" in programs else []
    done = subprocess.run(
        command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    status, printed = make(tmp_path, **{"python3.11": "exit 1"})
    assert status
    assert "voiceapp needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11 setup" in printed


def test_a_python_without_venv_is_named_with_the_package(tmp_path: Path) -> None:
    without_venv = 'case "$2" in venv) mkdir -p "$3/bin"; touch "$3/bin/python"; exit 1;; esac'
    status, printed = make(tmp_path, **{"python3.11": without_venv})
    assert status
    assert "On Debian: apt-get install python3-venv" in printed
    assert not (tmp_path / "venv").exists(), "the next make would take what is half made for whole"


def test_a_disk_that_is_too_full_is_named_before_anything_is_installed(tmp_path: Path) -> None:
    full = "echo 'Filesystem 1048576-blocks Used Available Capacity Mounted on'; echo '/dev/x 9000 8700 300 97% /'"
    status, printed = make(tmp_path, df=full)
    assert status
    assert "300 MB are free here: free some space, or clone to another disk." in printed
    assert "Installing" not in printed
    assert "python3-venv" not in printed
    assert not (tmp_path / "venv").exists()
