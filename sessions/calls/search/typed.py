"""What somebody typed into the search, as the words that a line must have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import phonenumbers
from django.utils.translation import gettext
from phonenumbers import NumberParseException

from voiceapp.core.errors import ApplicationError

from .words import IS_ALONE, Word, Words, words_in

LONGEST_SEARCH = 200
MOST_TERMS = 12
# Fewer digits with spaces between them are several numbers: "2 4" of "2 pizzas, 4 drinks".
FEWEST_OF_NUMBER = 6
SHORTEST_BEGINNING = 3
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"'))
QUOTED = re.compile(r'"([^"]*)"')


class SearchRefused(ApplicationError):
    """Nothing can be searched for; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after another; with `is_beginning` the last is the beginning of a word."""

    words: tuple[str, ...]
    is_beginning: bool = False


# What a line may have one of: the spellings of one word or number.
Term = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A line matches that has one phrase of each term."""

    terms: tuple[Term, ...]


def read_search(typed: str, *, regions: Collection[str] = ()) -> Search:
    """`pizza hawaii`: both words, `"no onions"`: next to each other, `pizz*`: words that begin so.

    Phone numbers are found in any notation of the regions (ISO 3166). Raises SearchRefused.
    """
    if len(typed) > LONGEST_SEARCH:
        raise SearchRefused(gettext("Search for at most %(most)s characters.") % {"most": LONGEST_SEARCH})
    text, terms, end = typed.translate(QUOTES), list[Term](), 0
    for quoted in QUOTED.finditer(text):
        terms += _Typed(text[end : quoted.start()], regions).terms()
        terms += _exact(quoted.group(1))
        end = quoted.end()
    terms += _Typed(text[end:], regions).terms()
    different = tuple(dict.fromkeys(terms))
    if not different:
        raise SearchRefused(gettext("Search for at least one word or number."))
    if len(different) > MOST_TERMS:
        raise SearchRefused(gettext("Search for at most %(most)s words.") % {"most": MOST_TERMS})
    return Search(different)


def _exact(text: str) -> Iterator[Term]:
    if words := tuple(word.text for word in words_in(text).main):
        yield (Phrase(words),)


@dataclass(slots=True)
class _Typed:
    """What stands outside quotes."""

    text: str
    regions: Collection[str]
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        self.words = words_in(self.text)

    def terms(self) -> Iterator[Term]:
        """A number and a compound are one; small numbers with spaces between them are several."""
        at = 0
        for run in [*self.words.runs, range(len(self.words.main), len(self.words.main))]:
            for each in self.words.main[at : run.start]:
                yield self._term([each])
            parts = self.words.main[run.start : run.stop]
            if self._are_several_numbers(parts):
                yield from (self._term([part]) for part in parts)
            elif parts:
                yield self._term(parts)
            at = run.stop

    def _are_several_numbers(self, parts: Sequence[Word]) -> bool:
        if not parts or not parts[0].text.isdigit() or _digits(parts) >= FEWEST_OF_NUMBER:
            return False
        return any(each.isspace() for each in self.text[parts[0].start : parts[-1].end])

    def _term(self, parts: Sequence[Word]) -> Term:
        start, end, last = parts[0].start, parts[-1].end, parts[-1].text
        spellings = [tuple(part.text for part in parts)]
        spellings += [(each.text,) for each in self.words.further if (each.start, each.end) == (start, end)]
        if last.isdigit() and _digits(parts) >= FEWEST_OF_NUMBER:
            groups, *joined = spellings
            exact = [Phrase(groups)] if len(parts) > 1 else []
            whole = {each for spelled in joined for each in spelled} | self._notations(
                start, next(iter(joined), groups)
            )
            return (*exact, *(Phrase((each,), is_beginning=True) for each in sorted(whole)))
        long_enough = len(last) >= SHORTEST_BEGINNING or IS_ALONE.match(last) is not None
        is_beginning = long_enough and self.text[end : end + 1] == "*"
        return tuple(Phrase(each, is_beginning) for each in dict.fromkeys(spellings))

    def _notations(self, start: int, spelling: Sequence[str]) -> set[str]:
        """A number's digits in every way that people write it; further digits may follow in the line."""
        digits = "".join(spelling)
        found = {digits}
        is_international = self.text[:start].rstrip("( ").endswith(("+", "＋"))
        if digits.startswith("00") and not is_international:
            is_international, digits = True, digits[2:]
        for region in [""] if is_international else self.regions:
            try:
                parsed = phonenumbers.parse(f"+{digits}" if is_international else digits, region or None)
            except NumberParseException:
                continue
            code, national = str(parsed.country_code), phonenumbers.national_significant_number(parsed)
            country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
            trunk = phonenumbers.ndd_prefix_for_region(country, True)
            if len(national) >= FEWEST_OF_NUMBER - 1:
                found |= {f"{code}{national}", f"00{code}{national}", f"{trunk or ''}{national}"}
        return found


def _digits(parts: Sequence[Word]) -> int:
    return sum(len(part.text) for part in parts)
