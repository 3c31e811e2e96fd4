"""Sentences that are stored, and read in each reader's language: text and values are kept, not what they make.

In logs, in JSON, in the database and over the API they are English. `str()`, `format()` and templates, which write for
the person who is served now, translate them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, SupportsIndex

from django.utils.translation import gettext

# Between the sentence in English and its parts.
MARK = "\x1e"


def gettext_noop(text: str) -> str:
    """As Django's, which asks for its settings."""
    return text


class KeptText(str):
    """English, and its text with names for the values: `KeptText("returned %(status)s", status=503)`.

    `manage.py update_translations` finds the text. A value can be a KeptText, too.
    """

    text: str
    values: Mapping[str, object]

    def __new__(cls, text: str, /, **values: object) -> KeptText:
        return cls._made(text, values, _filled(values, english), shown=text)

    @classmethod
    def _made(cls, text: str, values: Mapping[str, object], filled: Mapping[str, object], *, shown: str) -> KeptText:
        kept = super().__new__(cls, shown % filled if values else shown)
        kept.text, kept.values = text, values
        return kept

    def __str__(self) -> KeptText:
        """In the language of now; still with its parts, so that what an exception says of it can be stored."""
        return self._made(self.text, self.values, _filled(self.values, str), shown=gettext(self.text))

    def __format__(self, spec: str) -> str:
        return format(_plain(str(self)), spec)

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """Cut only where it is too long: what is cut cannot be translated any more."""
        cut = super().__getitem__(key)
        return self if len(cut) == len(self) else cut

    def __getnewargs__(self) -> tuple[str]:
        return (_plain(self),)


def english(value: object) -> str:
    """As logs have it."""
    if not isinstance(value, KeptText):
        return str(value)
    return value.text % _filled(value.values, english) if value.values else value.text


def _filled(values: Mapping[str, object], write: Callable[[object], str]) -> dict[str, object]:
    """Numbers stay, for `%(count)d`."""
    return {name: value if isinstance(value, int | float) else write(value) for name, value in values.items()}


def stored(text: str, *, longest: int = 0) -> str:
    """For a column or JSON: English, with values followed by the parts; without these if it were over `longest`."""
    plain = english(text)
    if not isinstance(text, KeptText) or not text.values:
        return plain
    whole = f"{plain}{MARK}{json.dumps(_parts(text), ensure_ascii=False, separators=(',', ':'))}"
    return plain if longest and len(whole) > longest else whole


def kept(stored_text: str) -> KeptText:
    """What was stored."""
    plain, _mark, parts = stored_text.partition(MARK)
    if parts:
        try:
            return _of_parts(json.loads(parts))
        except (ValueError, TypeError, KeyError):
            pass  # cut off, or of an earlier version
    return KeptText(plain)


def _plain(text: str) -> str:
    return str.__str__(text)


def _parts(text: KeptText) -> list[object]:
    return [text.text, {name: _part(value) for name, value in text.values.items()}]


def _part(value: object) -> object:
    return _parts(value) if isinstance(value, KeptText) else value if isinstance(value, int | float) else str(value)


def _of_parts(parts: list[Any]) -> KeptText:
    text, values = parts
    whole = {name: _of_parts(each) if isinstance(each, list) else each for name, each in values.items()}
    return KeptText(text, **whole)
