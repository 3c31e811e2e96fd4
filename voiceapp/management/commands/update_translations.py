"""`manage.py update_translations`: brings the catalogs up to date with the texts of code and templates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from django.core.management.base import BaseCommand

from voiceapp.core.translations.catalogs import LOCALE
from voiceapp.core.translations.extraction import all_texts
from voiceapp.core.translations.names import TRANSLATED

# A catalog changes with its texts alone: two branches that add some do not meet in a header.
UNDATED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def catalog_path(language: str, locale: Path = LOCALE) -> Path:
    return locale / language / "LC_MESSAGES/django.po"


def read_catalog(language: str) -> Catalog:
    """Empty if the language has none yet."""
    path = catalog_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write_catalog(language: str, catalog: Catalog) -> None:
    catalog.header_comment = f"# {language}: docs/reference/languages.md"
    catalog.fuzzy = False
    catalog.project, catalog.version = "voiceapp", "1"
    catalog.creation_date = catalog.revision_date = UNDATED
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=0, no_location=True, sort_output=True, ignore_obsolete=True)


def is_translated(message: Message) -> bool:
    """In every form: as one text, or for each number."""
    forms = (message.string,) if isinstance(message.string, str) else message.string or ()
    return bool(forms) and all(forms)


class Command(BaseCommand):
    help = (
        "Add new texts to the catalogs and drop those that are no longer used. Example: manage.py update_translations"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        texts = all_texts()
        for language in TRANSLATED:
            catalog = read_catalog(language)
            catalog.update(texts, no_fuzzy_matching=True)
            write_catalog(language, catalog)
            missing = sum(not is_translated(each) for each in catalog if each.id)
            self.stdout.write(f"{language}: {len(catalog)} texts, {missing} without a translation.")
