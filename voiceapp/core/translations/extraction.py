"""Finds the texts to translate, without GNU gettext: in Python by Babel, in templates by Django and Babel."""

from __future__ import annotations

import gettext as gettext_module
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import django
import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

from .implied_names import implied_names
from .scripts import texts_of_scripts

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("agents", "sessions", "recordings", "telephony", "voiceapp")
SKIPPED = {"tests", "migrations", "simulators", "locale"}
# Babel's form: which arguments are texts.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "KeptText": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}

STRING = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"\b(?:_|n?p?gettext)\({STRING}(?:,\s*(?:{STRING}|count))*\)")


def texts_in(source: str) -> Iterator[tuple[Any, str | None]]:
    """(text, or singular and plural; context) of each call in Python."""
    if any(name in source for name in ("gettext", "_(", "KeptText(")):
        for _, text, _, context in extract("python", BytesIO(source.encode()), KEYWORDS):
            yield text, context


def texts_of_template(source: str) -> Iterator[tuple[Any, str | None]]:
    """Django writes its tags as calls in Python; what stands between them is no Python."""
    calls = (match.group() for match in CALL.finditer(templatize(source)))
    yield from texts_in("\n".join(calls))


def python_files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not SKIPPED & set(path.relative_to(ROOT).parts):
                yield path


def templates() -> Iterator[Path]:
    yield from sorted((ROOT / "templates").rglob("*.html"))


def texts_of_theme() -> Iterator[tuple[Any, str | None]]:
    """Unfold has no catalogs: its texts, apart from those that it shares with Django's admin."""
    folder, of_django = Path(unfold.__file__).parent, texts_of_django()
    for path in sorted((folder / "templates").rglob("*.html")):
        for text, context in texts_of_template(path.read_text()):
            if isinstance(text, str) and text not in of_django:
                yield text, context


def texts_of_django() -> set[str]:
    """Those that Django translates itself."""
    root = Path(django.__file__).parent
    folders = [root / "conf/locale", *(root / "contrib").glob("*/locale")]
    found = [gettext_module.translation("django", folder, ["de"], fallback=True) for folder in folders]
    return {text for each in found for text in getattr(each, "_catalog", {}) if isinstance(text, str)}


def all_texts() -> Catalog:
    """The texts of the whole project, untranslated."""
    catalog = Catalog(fuzzy=False)
    for path in python_files():
        for text, context in texts_in(path.read_text()):
            catalog.add(text, context=context)
    for path in templates():
        for text, context in texts_of_template(path.read_text()):
            catalog.add(text, context=context)
    for text, context in texts_of_theme():
        catalog.add(text, context=context)
    for text in texts_of_scripts("voiceapp"):
        catalog.add(text)
    for name in implied_names():
        catalog.add(name)
    return catalog
