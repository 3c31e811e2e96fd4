"""Catalogs are compiled by whoever needs them, and a broken one leaves pages in English."""

from __future__ import annotations

import gettext
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from voiceapp.core.translations.catalogs import LOCALE, compile_stale_catalogs, stale_catalogs
from voiceapp.core.translations.names import CONSOLE_LANGUAGES, TRANSLATED

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Call"\nmsgstr "%s"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "de/LC_MESSAGES/django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def translated(folder: Path) -> str:
    return gettext.translation("django", folder, ["de"], fallback=True).gettext("Call")


def test_a_catalog_is_compiled_once_and_again_after_a_change(tmp_path: Path) -> None:
    source = write(tmp_path, PO % "Anruf")
    compile_stale_catalogs(tmp_path)
    assert translated(tmp_path) == "Anruf"
    assert list(stale_catalogs(tmp_path)) == []
    later = source.stat().st_mtime_ns + 10**9
    write(tmp_path, PO % "Gespräch")
    os.utime(source, ns=(later, later))
    assert list(stale_catalogs(tmp_path)) == [source]


def test_what_cannot_be_compiled_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path, "msgid what?")
    compile_stale_catalogs(tmp_path)
    assert translated(tmp_path) == "Call"
    assert [path.name for path in (tmp_path / "de/LC_MESSAGES").iterdir()] == ["django.po"]


def test_this_process_has_compiled_the_projects_own() -> None:
    assert {path.name for path in LOCALE.iterdir()} == set(TRANSLATED)
    assert list(stale_catalogs()) == []


@pytest.mark.parametrize("language", [code for code, _name in CONSOLE_LANGUAGES])
def test_a_number_in_an_attribute_has_a_point_in_each_language(language: str) -> None:
    drawing = Template('<rect x="{{ x }}" width="{{ width }}">')
    with translation.override(language):
        assert drawing.render(Context({"x": 1234.5, "width": Decimal("0.25")})) == '<rect x="1234.5" width="0.25">'
