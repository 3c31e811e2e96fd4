"""System checks: limits that cannot be read, or that several processes would count each for itself."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from voiceapp.core.limits.checks import check_limits
from voiceapp.core.limits.limit import LIMITS


def ids() -> list[str | None]:
    return [message.id for message in check_limits()]


def test_the_defaults_have_no_finding(settings: Settings) -> None:
    assert ids() == []


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_rate_that_cannot_be_read_is_found_with_its_name_and_a_fix(
    settings: Settings, limit: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = limit.setting  # type: ignore[attr-defined]
    setattr(settings, name, "ten an hour")
    [finding] = check_limits()
    assert (finding.id, name in finding.msg, name in str(finding.hint)) == ("limits.E001", True, True)


@pytest.mark.parametrize(
    ("processes", "redis_url", "expected"), [(1, "", []), (2, "", ["limits.E002"]), (2, "redis://redis:6379/0", [])]
)
def test_several_web_processes_need_redis(
    settings: Settings, processes: int, redis_url: str, expected: list[str]
) -> None:
    settings.WEB_CONCURRENCY = processes
    settings.REDIS_URL = redis_url
    assert ids() == expected


def test_manage_check_runs_them(settings: Settings) -> None:
    settings.LIMIT_READ = "lots"
    assert "limits.E001" in [message.id for message in run_checks()]
