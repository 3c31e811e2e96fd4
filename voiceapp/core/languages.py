"""Language tags of agents: ISO 639-1, optionally with a script or country, like en, pt-BR, zh-Hant."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from .countries import is_country

# https://www.loc.gov/standards/iso639-2/php/code_list.php, the two-letter codes
_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
ISO_639_1 = frozenset(_CODES.split())
# Codes that ISO has replaced, and common mistakes.
REPLACED = {"iw": "he", "in": "id", "ji": "yi", "fil": "tl"}
REPLACED_COUNTRIES = {"UK": "GB"}
TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")
LONGEST = 16


def read_language(text: str) -> str:
    """The normalized tag: `EN_us` is en-US. Raises ValueError with an example."""
    match = TAG.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"“{text}” is not a language code. Write two letters like en, or with a country like en-US.")
    code, script, country = (part or "" for part in match.groups())
    code, country = code.lower(), country.upper()
    code, country = REPLACED.get(code, code), REPLACED_COUNTRIES.get(country, country)
    if code not in ISO_639_1:
        raise ValueError(f"“{code}” is not an ISO 639-1 code. Write two letters, like en, de or pt-BR.")
    if country and not country.isdigit() and not is_country(country):
        raise ValueError(f"“{country}” is not a country code. Write {code} alone, or with a country like en-US.")
    return "-".join(part for part in (code, script.title(), country) if part)


def base_language(tag: str) -> str:
    """`pt` of pt-BR; empty if the tag is invalid."""
    try:
        return read_language(tag).partition("-")[0]
    except ValueError:
        return ""


def validate_language(text: str) -> None:
    try:
        read_language(text)
    except ValueError as exc:
        raise ValidationError(str(exc)) from exc


class LanguageField(models.CharField[str, str]):
    """A column for normalized tags."""

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        cleaned = super().clean(value, model_instance)
        validate_language(cleaned)
        return read_language(cleaned)

    def deconstruct(self) -> Any:
        """In migrations it is an ordinary CharField."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options
