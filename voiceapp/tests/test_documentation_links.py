"""What the documentation names exists: links, paths, commands and make targets; so do the pages that comments name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = "agents|docs|recordings|scripts|sessions|static|telephony|templates|tests|voiceapp"
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(rf"`((?:{FOLDERS})(?:/[\w.-]+)*/?)`")
COMMENTED_PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")
CODE = (".py", ".html", ".mjs", ".css")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose_of(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose_of(page)):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            yield link


def missing_paths(page: Path) -> list[str]:
    return [path for path in PATH.findall(prose_of(page)) if not (ROOT / path).exists()]


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_every_link_and_path_of_a_page_exists(document: Path) -> None:
    assert list(broken_links(document)) == []
    assert missing_paths(document) == []


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_every_command_and_make_target_of_a_page_exists(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M)
    assert set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, re.M)) <= set(targets)
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    assert [name_of(page) for page in ROOT.glob("docs/**/*.md") if page != index and page not in linked] == []


def test_every_page_that_code_names_exists() -> None:
    files = [file for folder in FOLDERS.split("|") for file in (ROOT / folder).rglob("*") if file.suffix in CODE]
    assert ROOT / "voiceapp/settings.py" in files
    named = {(file, page) for file in files for page in COMMENTED_PAGE.findall(file.read_text())}
    assert sorted((name_of(file), page) for file, page in named if not (ROOT / page).exists()) == []


def test_each_feature_names_its_page_and_a_test_once() -> None:
    """Pages and tests that are named exist: the tests above look at every page of the documentation."""
    lines = (ROOT / "docs/reference/features.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")][1:]
    assert all(len(row) == 3 and all(row) for row in rows), [row for row in rows if len(row) != 3 or not all(row)]
    without = [row[0] for row in rows if not any("test" in path or "bench" in path for path in PATH.findall(row[2]))]
    assert without == [], "name the test that shows it"
    features = [row[0] for row in rows]
    assert len(features) == len(set(features)), [each for each in features if features.count(each) > 1]
