"""The query of a list's address: what a view and an export keep of it, and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from voiceapp.core.errors import ApplicationError

from .filter_form import CallFilterForm
from .models import LONGEST_QUERY

SEARCH = "q"
# The page of a list, its view, and what Django and Unfold add for themselves.
NOT_KEPT = frozenset({"p", "e", "all", "view", "_popup", "_to_field", "_facets", "_changelist_filters"})
NAMES: Sequence[str] = tuple(CallFilterForm.base_fields)
# They say who called.
PERSONAL = ("number", SEARCH)
FEWEST_DIGITS_OF_PERSON = 4


class QueryTooLong(ApplicationError):
    message = _("The search is too long. Shorten it.")


def kept_query(query: str) -> str:
    """What narrows and orders the list, and nothing else; the same for the same list. Raises QueryTooLong."""
    pairs = sorted({(name, value) for name, value in read_pairs(query) if value.strip() and name not in NOT_KEPT})
    kept = urlencode(pairs)
    if len(kept) > LONGEST_QUERY:
        raise QueryTooLong
    return kept


def read_pairs(query: str) -> list[tuple[str, str]]:
    """Of any text; what follows a `?` if it is a whole address."""
    try:
        return parse_qsl(query.rpartition("?")[2].replace("\0", ""), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return []


def names_a_person(query: str) -> bool:
    """Whether a number can be read from it, which not everybody may see."""
    pairs = dict(read_pairs(query))
    digits = sum(each.isdecimal() for each in pairs.get(SEARCH, ""))
    return bool(pairs.get("number")) or digits >= FEWEST_DIGITS_OF_PERSON


def without_person(query: str) -> str:
    """For an audit log: which filters were used, without what was typed of a caller."""
    return "&".join(f"{name}={'…' if name in PERSONAL else value}" for name, value in read_pairs(query))


def has_blanks(params: QueryDict) -> bool:
    """Whether a form has sent empty filters, which an address that is passed on need not have."""
    return any(not params[name] for name in NAMES if name in params)


def without_blanks(params: QueryDict) -> str:
    kept = [(name, value) for name, values in params.lists() for value in values if value or name not in NAMES]
    return urlencode(kept)


def filters_of(params: Mapping[str, str]) -> dict[str, str]:
    return {name: params[name] for name in NAMES if params.get(name)}
