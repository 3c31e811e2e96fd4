"""The sentence of a line in which a search was found, with what was found marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .typed import Phrase, Search
from .words import Word, words_in

SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)]*\s+|[。！？]+|\n+")
LONGEST_SENTENCE = 240
BEFORE_MARK = 80


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence, or the part of a long one around what was found."""

    parts: Sequence[Part]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def html(self) -> SafeString:
        """Escaped, with `<mark>` around what was found."""
        shown = (f"<mark>{escape(part.text)}</mark>" if part.is_found else escape(part.text) for part in self.parts)
        return mark_safe("".join(shown))  # noqa: S308 - each part is escaped


def excerpt_of(text: str, search: Search) -> Excerpt:
    spans = _merged(sorted(_found_in(text, search)))
    start, end = _sentence(text, spans[0] if spans else (0, 0))
    parts, at = [Part("… ", is_found=False)] if start and not _begins_sentence(text, start) else [], start
    for first, last in spans:
        if first >= end:
            break
        parts += [Part(text[at:first], is_found=False), Part(text[first : min(last, end)], is_found=True)]
        at = min(last, end)
    parts.append(Part(text[at:end].rstrip(), is_found=False))
    if end < len(text.rstrip()) and not _begins_sentence(text, end):
        parts.append(Part(" …", is_found=False))
    return Excerpt([part for part in parts if part.text])


def _found_in(text: str, search: Search) -> Iterator[tuple[int, int]]:
    words = words_in(text)
    for term in search.terms:
        for phrase in term:
            yield from _places(words.main, phrase)
            if len(phrase.words) == 1:
                yield from _places(words.further, phrase)


def _places(words: Sequence[Word], phrase: Phrase) -> Iterator[tuple[int, int]]:
    *whole, last = phrase.words
    count = len(phrase.words)
    for at in range(len(words) - count + 1):
        found = words[at : at + count]
        is_last = found[-1].text.startswith(last) if phrase.is_beginning else found[-1].text == last
        if is_last and [word.text for word in found[:-1]] == whole:
            yield found[0].start, found[-1].end


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _sentence(text: str, span: tuple[int, int]) -> tuple[int, int]:
    ends = [each.end() for each in SENTENCE_END.finditer(text)]
    start = max((each for each in ends if each <= span[0]), default=0)
    end = min((each for each in ends if each >= span[1] and each > start), default=len(text))
    if end - start > LONGEST_SENTENCE:
        near = max(start, span[0] - BEFORE_MARK)
        start = near if near == start else _after_space(text, near, span[0])
        end = min(end, start + LONGEST_SENTENCE)
    return start, end


def _after_space(text: str, start: int, latest: int) -> int:
    space = text.find(" ", start, latest)
    return space + 1 if space >= 0 else start


def _begins_sentence(text: str, at: int) -> bool:
    return any(each.end() == at for each in SENTENCE_END.finditer(text))
