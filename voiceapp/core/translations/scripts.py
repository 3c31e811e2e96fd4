"""The texts of the pages' scripts: `t("…")` in them is both the text and, for catalogs, its mark."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext

TEXT = re.compile(r'\bt\(\s*("(?:\\.|[^"\\])*")')


def script_files(path: str = "voiceapp") -> list[Path]:
    """One file, or all scripts of a folder, under `static`."""
    found = Path(settings.BASE_DIR, "static", path)
    return sorted(found.rglob("*.mjs")) if found.is_dir() else [found]


@functools.cache
def texts_of_scripts(*paths: str) -> tuple[str, ...]:
    """Read once: what a running server serves does not change."""
    sources = [file.read_text() for path in paths for file in script_files(path)]
    return tuple(dict.fromkeys(json.loads(text) for source in sources for text in TEXT.findall(source)))


def translated_texts(*paths: str) -> Mapping[str, str]:
    """By the English text; what is the same in both is left out."""
    pairs = {text: gettext(text) for text in texts_of_scripts(*paths)}
    return {text: translated for text, translated in pairs.items() if translated != text}
