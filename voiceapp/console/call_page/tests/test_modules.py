"""The page names the scripts that it imports, so that they are loaded at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from agents.organizations.models import Organization
from sessions.tools.registry import EVERY_TOOL

from ..modules import FOLDER, PAGE, WAYS, modules_of
from .test_call_page import member_of

IMPORT = re.compile(r'^import .* from "\./(\w+)\.mjs";$', re.MULTILINE)


def imported_by(name: str) -> set[str]:
    """By the script, and by what it imports."""
    text = Path(settings.BASE_DIR, "static", FOLDER, f"{name}.mjs").read_text()
    found = set(IMPORT.findall(text))
    return found.union(*(imported_by(each) for each in found))


def test_they_are_those_that_are_imported() -> None:
    assert imported_by("page") == set(PAGE)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_adds_its_own(way: str) -> None:
    assert {way, *imported_by(way)} - set(PAGE) == set(WAYS[way])


def test_the_page_has_words_for_every_tool() -> None:
    text = Path(settings.BASE_DIR, "static", FOLDER, "doing.mjs").read_text()
    assert set(re.findall(r"^    (\w+): ", text, re.MULTILINE)) == set(EVERY_TOOL)


@pytest.mark.django_db
def test_the_page_names_those_of_the_way_that_is_chosen(harbour: Organization) -> None:
    page = member_of(harbour).get(f"/call/{harbour.slug}?way=dialer").content.decode()
    named = re.findall(r'<link rel="modulepreload" href="/static/([^"]+)">', page)
    assert named == modules_of("dialer")
    assert f"{FOLDER}/tones.mjs" in named
    assert f"{FOLDER}/realtime.mjs" not in named
