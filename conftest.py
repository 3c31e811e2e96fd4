"""All tests: each has its own counters of limits, for users and addresses are the same in many of them."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest
from pytest_django import Settings

# Nobody but the tests' own servers is asked for AWS's keys: no machine's role.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


@pytest.fixture(autouse=True)
def limits_of_its_own(settings: Settings) -> None:
    settings.RATELIMIT_CACHE_PREFIX = f"limits-{uuid4().hex}:"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that tests have recorded, such as how well spoken names are understood."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "figures":
                terminalreporter.write_line(str(value))
