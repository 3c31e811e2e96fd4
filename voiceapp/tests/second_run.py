"""A plugin, `-p voiceapp.tests.second_run`: the few tests that failed while others were running run once more, alone.

Hundreds of tests hold the product to deadlines of the real clock (a caller's sound every 20 ms, a provider's timeout),
and several run at once on each core: any one of them may be kept from its turn. A test that fails again fails the run.
Those that pass alone are named at the end, so that their deadlines are mended.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator

import pytest

# More than these are a fault of the change, or of the machine.
MOST = 6


class SecondRun:
    """Of the process that reports; those of pytest-xdist send their results here."""

    def __init__(self) -> None:
        self._failed: dict[str, None] = {}
        self._outside_tests = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed[report.nodeid] = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._outside_tests = self._outside_tests or report.failed

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        yield
        if session.exitstatus != pytest.ExitCode.TESTS_FAILED or self._outside_tests or len(self._failed) > MOST:
            return
        print(f"\n\nA second run, alone, of the {len(self._failed)} that failed beside others:", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", *self._failed]
        if subprocess.run(command, check=False).returncode == 0:
            print("Passed alone, and so the run is green. Their deadlines are too tight beside others:")
            print(*self._failed, sep="\n", flush=True)
            session.exitstatus = pytest.ExitCode.OK


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SecondRun())
