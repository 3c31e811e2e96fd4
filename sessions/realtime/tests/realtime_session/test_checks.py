"""Settings of browser sessions that cannot be meant are found before the server starts."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from sessions.realtime.checks import check_no_stubs, check_secret_life


@pytest.mark.parametrize(("life_s", "ids"), [(10, []), (60, []), (7200, []), (9, ["E001"]), (7201, ["E001"])])
def test_a_life_that_openai_refuses_is_an_error(settings: Settings, life_s: int, ids: list[str]) -> None:
    settings.REALTIME_SECRET_LIFE_S = life_s
    assert [found.id for found in check_secret_life()] == [f"realtime_session.{each}" for each in ids]


@pytest.mark.parametrize(("environment", "ids"), [("prod", []), ("staging", []), ("dev", ["E002"])])
def test_a_developers_environment_is_not_deployed(settings: Settings, environment: str, ids: list[str]) -> None:
    settings.ENVIRONMENT = environment
    assert [found.id for found in check_no_stubs()] == [f"realtime_session.{each}" for each in ids]
