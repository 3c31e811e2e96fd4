"""Finds transcript lines by what was said: the newest first, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from sessions.calls.models import TranscriptLine

from .index import COLUMN, FTS
from .typed import FEWEST_OF_NUMBER, LONGEST_SEARCH, Phrase, Search, read_search
from .words_field import scope_of

Value = str | int | None
LINES = TranscriptLine._meta.db_table
# PostgreSQL looks through so many of the newest lines before it collects all that match: a word that many lines have is
# found there, and of one that is not, few lines can match. More where more are wanted.
NEWEST, NEWEST_FOR_EACH = 20_000, 60
# A list of calls is narrowed to those with the newest so many lines.
MOST_LINES_OF_LIST = 1_000


@dataclass(frozen=True, slots=True)
class FoundLines:
    """`before` continues the search; None at its end."""

    lines: Sequence[TranscriptLine]
    before: int | None


def find_lines(principal: Principal, search: Search, *, limit: int, before: int | None = None) -> FoundLines:
    """Two queries. `before` is the line after which the former page ended."""
    sql, params = _newest(principal, search, limit=limit + 1, before=before)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        ids = [row[0] for row in cursor.fetchall()]
    visible = TranscriptLine.objects.visible_to(principal).filter(pk__in=ids[:limit])
    lines = list(visible.select_related("call__organization").defer("words").order_by("-pk"))
    return FoundLines(lines, ids[limit - 1] if len(ids) > limit else None)


def said_in_call(principal: Principal, search: Search) -> Q:
    """Calls in which it was said, by the newest lines that have it."""
    sql, params = _newest(principal, search, limit=MOST_LINES_OF_LIST, before=None)
    calls = f"SELECT call_id FROM {LINES} WHERE id IN ({sql})"  # noqa: S608 - names of ours
    return Q(pk__in=RawSQL(calls, params))  # noqa: S611 - what was typed is a parameter


def first_hits(principal: Principal, search: Search, call_ids: Collection[UUID]) -> dict[UUID, TranscriptLine]:
    """Of each of these calls the first line that has it. One query: meant for the calls of a page."""
    rows = TranscriptLine.objects.visible_to(principal).filter(_has_words(search), call__in=call_ids)
    hits: dict[UUID, TranscriptLine] = {}
    for line in rows.defer("words").order_by("call", "spoken_at_ms", "id"):
        hits.setdefault(line.call_id, line)
    return hits


def read_typed(principal: Principal, typed: str) -> Search:
    """Phone numbers are understood as in the countries of the principal's organizations. Raises SearchRefused."""
    has_number = sum(each.isdecimal() for each in typed[:LONGEST_SEARCH]) >= FEWEST_OF_NUMBER
    return read_search(typed, regions=_regions(principal) if has_number else ())


def _regions(principal: Principal) -> set[str]:
    places = Organization.objects.visible_to(principal).order_by().only("country", "time_zone", "currency")
    return {place.region for place in places[:100] if place.region}


def _has_words(search: Search) -> Q:
    """The same as the index finds, read from the column itself."""
    return reduce(and_, (reduce(or_, map(_has_phrase, term)) for term in search.terms))


def _has_phrase(phrase: Phrase) -> Q:
    return Q(words__contains=f" {' '.join(phrase.words)}{'' if phrase.is_beginning else ' '}")


def _scopes(principal: Principal) -> list[str]:
    """Empty: all. The index is narrowed by them; what may be read is decided by `visible_to`."""
    if principal.sees_all:
        return []
    scopes = [scope_of(each, "") for each in sorted(principal.organization_ids)]
    return [*scopes, scope_of(None, principal.subject)] if principal.is_own_tenant or not scopes else scopes


def _newest(principal: Principal, search: Search, *, limit: int, before: int | None) -> tuple[str, list[Value]]:
    """SQL for the ids of the newest lines that match, and its parameters."""
    terms = [tuple(Phrase((scope,)) for scope in _scopes(principal)), *search.terms]
    expressions = [term for term in terms if term]
    if connection.vendor == "postgresql":
        return _newest_of_postgresql(_tsquery(expressions), limit, before)
    older = "" if before is None else "AND rowid < %s"
    sql = f"SELECT rowid FROM {FTS} WHERE {FTS} MATCH %s {older} ORDER BY rowid DESC LIMIT %s"  # noqa: S608
    return sql, [each for each in (_fts5(expressions), before, limit) if each is not None]


def _newest_of_postgresql(tsquery: str, limit: int, before: int | None) -> tuple[str, list[Value]]:
    older = "" if before is None else "WHERE id < %(before)s"
    matches = f"{COLUMN} @@ to_tsquery('simple', %(words)s)"
    # `id + 0` keeps the planner from walking through the whole table by its key for a rare word.
    sql = f"""
        WITH newest AS MATERIALIZED (
            SELECT id FROM (SELECT id, {COLUMN} FROM {LINES} {older} ORDER BY id DESC LIMIT %(newest)s) AS line
            WHERE {matches} ORDER BY id DESC LIMIT %(limit)s
        ), every AS MATERIALIZED (
            SELECT id FROM {LINES}
            WHERE {matches} {older.replace("WHERE", "AND")} AND (SELECT count(*) FROM newest) < %(limit)s
            ORDER BY id + 0 DESC LIMIT %(limit)s
        )
        SELECT id FROM (SELECT id FROM newest UNION SELECT id FROM every) AS line ORDER BY id DESC LIMIT %(limit)s
    """  # noqa: S608 - names of ours; what was typed is a parameter
    newest = max(NEWEST, NEWEST_FOR_EACH * limit)
    values: dict[str, Value] = {"words": tsquery, "limit": limit, "before": before, "newest": newest}
    return _numbered(sql, values)


def _numbered(sql: str, values: dict[str, Value]) -> tuple[str, list[Value]]:
    """Named parameters as the `%s` that a larger query can be made of."""
    parts, params = sql.split("%("), list[Value]()
    for part in parts[1:]:
        params.append(values[part.partition(")s")[0]])
    return parts[0] + "".join("%s" + part.partition(")s")[2] for part in parts[1:]), params


# A word consists of letters and digits alone, so that nothing in it means anything to a database.


def _fts5(terms: Iterable[Sequence[Phrase]]) -> str:
    return " AND ".join(f"({' OR '.join(map(_fts5_phrase, term))})" for term in terms)


def _fts5_phrase(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{" *" if phrase.is_beginning else ""}'


def _tsquery(terms: Iterable[Sequence[Phrase]]) -> str:
    return " & ".join(f"({' | '.join(map(_ts_phrase, term))})" for term in terms)


def _ts_phrase(phrase: Phrase) -> str:
    words = " <-> ".join(f"'{word}'" for word in phrase.words)
    return f"({words}{':*' if phrase.is_beginning else ''})"
