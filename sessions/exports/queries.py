"""The query of a list's address: what a view and an export keep of it, and what the log says of it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django.utils.translation import gettext_lazy as _

from voiceapp.core.errors import ApplicationError

LONGEST_QUERY = 1000
SEARCH = "q"
# The page of a list, its view, and what Django and Unfold add for themselves.
NOT_KEPT = frozenset({"p", "e", "all", "view", "_popup", "_to_field", "_facets", "_changelist_filters"})
# They say who called.
PERSONAL = ("number", SEARCH)


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


def without_person(query: str) -> str:
    """For a log: which filters were used, without what was typed of a caller."""
    return "&".join(f"{name}={'…' if name in PERSONAL else value}" for name, value in read_pairs(query))
