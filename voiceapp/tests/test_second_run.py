"""Tests that fail beside others run once more, alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from voiceapp.tests import second_run

ROOT = Path(__file__).parents[2]
# Fails as often as it says; the count is kept in a file, since each run is another process.
LATE = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("name", {names})
def test_late(name):
    count = Path(__file__).with_name(name)
    runs = len(count.read_text()) if count.exists() else 0
    count.write_text("." * (runs + 1))
    assert runs >= {failures}
"""


def run(folder: Path, *arguments: str, failures: int, tests: int = 1) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    file = folder / "test_late.py"
    file.write_text(LATE.format(failures=failures, names=[f"n{number}" for number in range(tests)]))
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "voiceapp.tests.second_run", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*command, "-c", "pytest.ini", str(file)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]], ids=["one process", "several"])
@pytest.mark.parametrize(("failures", "code"), [(0, 0), (1, 0), (2, 1)], ids=["passes", "late once", "fails"])
def test_what_fails_runs_once_more(tmp_path: Path, arguments: list[str], failures: int, code: int) -> None:
    done = run(tmp_path, *arguments, failures=failures)
    assert done.returncode == code
    assert ("A second run" in done.stdout) is bool(failures)
    assert ("test_late.py::test_late[n0]" in done.stdout.partition("Passed alone")[2]) is (failures == 1)


def test_many_failures_are_not_run_again(tmp_path: Path) -> None:
    done = run(tmp_path, failures=1, tests=second_run.MOST + 1)
    assert done.returncode == 1
    assert "A second run" not in done.stdout


def test_a_file_that_cannot_be_read_is_red(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n")
    done = run(tmp_path, str(tmp_path / "test_broken.py"), failures=1)
    assert done.returncode != 0
