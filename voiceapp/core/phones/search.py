"""Finds E.164 numbers by any part, in any notation: `0176…`, `+49 176`, `176 55`, `(030) 555-0199`."""

from __future__ import annotations

import re
from collections.abc import Collection

import phonenumbers
from django.core.exceptions import ValidationError
from django.db.models import Q

from .numbers import read_number

TYPED = re.compile(r"[+＋0-9()\[\]/.\- ‐-―]*")
FEWEST_DIGITS = 3


def split_search(text: str) -> tuple[str, str]:
    """Split a search into its number and its words: `Alice 0176 55` is `0176 55` and `Alice`."""
    words = text.replace("\u00a0", " ").split()
    number = " ".join(word for word in words if TYPED.fullmatch(word))
    others = " ".join(word for word in words if not TYPED.fullmatch(word))
    return (number, others) if len(_digits(number)) >= FEWEST_DIGITS else ("", " ".join(words))


def number_parts(typed: str, *, regions: Collection[str]) -> set[str]:
    """The parts of E.164 numbers that the input may mean; numbers that contain one of them match."""
    text = re.sub(r"\(0\)", "", typed.strip())
    digits = _digits(text)
    if text.lstrip("([ ").startswith(("+", "＋")):
        return {f"+{digits}", *_without_trunk(digits, regions)}
    parts = {digits}
    for region in regions:
        code = phonenumbers.country_code_for_region(region)
        trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
        if code and trunk and digits.startswith(trunk):
            parts.add(f"+{code}{digits.removeprefix(trunk)}")
    parts |= {f"+{digits.removeprefix(prefix)}" for prefix in ("00", "011") if digits.startswith(prefix)}
    return {part for part in parts if len(part) >= FEWEST_DIGITS}


def matching(field: str, typed: str, *, regions: Collection[str]) -> Q:
    """Rows whose field contains the input."""
    found = Q(pk__in=())
    for part in number_parts(typed, regions=regions):
        found |= Q(**{f"{field}__contains": part})
    return found


def matching_whole(field: str, typed: str, *, regions: Collection[str]) -> Q:
    """Rows whose field is the complete number: for users who must not find a number digit by digit."""
    numbers = set()
    for region in {"", *regions}:
        try:
            numbers.add(read_number(typed, region=region))
        except ValidationError:
            continue
    return Q(**{f"{field}__in": numbers})


def _without_trunk(digits: str, regions: Collection[str]) -> set[str]:
    """`+49 0176` as people write it: without the 0 of national calls."""
    found = set()
    for region in regions:
        code, trunk = phonenumbers.country_code_for_region(region), phonenumbers.ndd_prefix_for_region(region, True)
        if code and trunk and digits.startswith(f"{code}{trunk}"):
            found.add(f"+{code}{digits.removeprefix(f'{code}{trunk}')}")
    return found


def _digits(text: str) -> str:
    return str(phonenumbers.normalize_digits_only(text))
