"""The documented table of roles is the one that is enforced."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.organizations.roles import Area, Power, Role, power_of
from agents.organizations.scopes import Scope

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "roles.md"


def rows_of_page() -> dict[str, list[str]]:
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|"):
            rows[cells[0]] = cells[1:]
    return rows


@pytest.mark.parametrize("area", Area)
def test_the_page_says_what_each_role_may_in_each_area(area: Area) -> None:
    rows = rows_of_page()
    words = {power.name.lower(): power for power in Power} | {"–": Power.NOTHING}
    documented = {role: words[cell] for role, cell in zip(rows["area"], rows[area], strict=True) if role != "opens"}
    assert documented == {str(role): power_of(role, area) for role in Role}


@pytest.mark.parametrize("scope", Scope)
def test_the_page_says_what_each_scope_needs(scope: Scope) -> None:
    area, _, power = rows_of_page()[f"`{scope}`"][0].partition(": ")
    granted = {role for role in Role if power_of(role, Area(area)) >= Power[power.upper()]}
    assert granted == {role for role in Role if scope.is_granted_to(role)}
    assert not scope.is_granted_to(None)
