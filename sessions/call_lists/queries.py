"""What is read from the address of the list of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import QueryDict

from sessions.exports.queries import SEARCH, read_pairs

from .filter_form import CallFilterForm

NAMES: Sequence[str] = tuple(CallFilterForm.base_fields)
FEWEST_DIGITS_OF_PERSON = 4


def names_a_person(query: str) -> bool:
    """Whether a number can be read from it, which not everybody may see."""
    pairs = dict(read_pairs(query))
    digits = sum(each.isdecimal() for each in pairs.get(SEARCH, ""))
    return bool(pairs.get("number")) or digits >= FEWEST_DIGITS_OF_PERSON


def has_blanks(params: QueryDict) -> bool:
    """Whether a form has sent empty filters, which an address that is passed on need not have."""
    return any(not params[name] for name in NAMES if name in params)


def without_blanks(params: QueryDict) -> str:
    kept = [(name, value) for name, values in params.lists() for value in values if value or name not in NAMES]
    return urlencode(kept)


def filters_of(params: Mapping[str, str]) -> dict[str, str]:
    return {name: params[name] for name in NAMES if params.get(name)}
