"""What the words for a line's choices mean: which modifiers are wanted and how often, and which are left out.

A negation takes a usual one off; an amount that the menu has no choice for (“less mozzarella”) is never the plain one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from agents.catalog.offers import GroupOffer, ItemOffer, ModifierOffer
from agents.catalog.spoken import Phrase, Role, Token, WordTable, read_phrase, read_tokens, readings
from agents.catalog.spoken.comparison import compare

from .lines import Refused
from .names import Match, Names, Short, closest_names, either, names_of
from .wishes import pieces, same_name, without_count

NOT = "not "
TIMES = "times "
MOST_TIMES = 10
AS_A_NOTE = " I can add it as a note for the kitchen."
Wanted = dict[int, ModifierOffer]


@dataclass(slots=True)
class ChoiceWishes:
    """Each wanted one as the modifiers that bear its name, and the ids of what is left out."""

    wanted: list[Wanted] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)


def understand_choices(item: ItemOffer, words: Sequence[str], table: WordTable) -> ChoiceWishes:
    """Read each of the words; raises Refused with what to ask for the first that is not understood."""
    reading = _Reading(item, table)
    for text in words:
        reading.read(text)
    for wanted in reading.wishes.wanted:
        if not wanted.keys().isdisjoint(reading.wishes.left_out):
            raise Refused(f"Should the {item.name} be with or without {next(iter(wanted.values())).name}?")
    return reading.wishes


class _Reading:
    def __init__(self, item: ItemOffer, table: WordTable) -> None:
        self.item = item
        self.table = table
        self.wishes = ChoiceWishes()
        self.names = _names_of_modifiers(item, table)

    def read(self, text: str) -> None:
        """One choice, or several that the text joins by “and”."""
        if self._take(text):
            return
        parts = pieces(text, self.table)
        if len(parts) > 1:
            for part in self._with_their_negation(parts):
                self._take(part) or self._refuse(part)
        else:
            self._refuse(text)

    def _take(self, text: str) -> bool:
        tokens = read_tokens(text, self.table)
        if not tokens:
            return True
        for said in readings(tokens, self.table):
            if self._take_named(said) or self._take_out(text, said, tokens) or self._take_amount(text, said):
                return True
        return False

    def _take_named(self, said: Phrase) -> bool:
        """The modifier of just this name, which may itself be “no onions” or “extra cheese”."""
        found = self._meant(self.names.understood(said, Short.THE_HEADING))
        if found:
            self.wishes.wanted.append(found)
        return bool(found)

    def _take_out(self, text: str, said: Phrase, tokens: tuple[Token, ...]) -> bool:
        inner = _without_negation(said)
        if inner is None:
            return False
        found = self._meant(self.names.understood(inner, Short.THE_HEADING)) or self._meant(self._usual(inner))
        if not found:
            return False
        if not any(modifier.is_default for modifier in found.values()) and self._is_part_of_it(inner):
            self._note(text)
        self.wishes.left_out.update(found)
        return True

    def _take_amount(self, text: str, said: Phrase) -> bool:
        """“extra”, “double” and “two” of a modifier; every other amount needs a choice of that name."""
        plain, count = without_count(said)
        times = tuple(mark for mark in plain.marks if mark.startswith(TIMES))
        for dropped in ((), times, (*times, Role.MORE.value)):
            rest = replace(plain, marks=tuple(mark for mark in plain.marks if mark not in dropped))
            if rest == said:
                continue
            found = self._meant(self.names.understood(rest, Short.THE_HEADING))
            if found:
                if len(rest.marks) < len(plain.marks) - len(times) and not self._is_added(found):
                    self._note(text)
                self._want(found, count or 1, times if times and times[0] not in rest.marks else ())
                return True
        return False

    def _want(self, found: Wanted, count: int, times: Sequence[str]) -> None:
        number = count * math.prod(int(Fraction(mark.removeprefix(TIMES))) for mark in times)
        if number > MOST_TIMES:
            raise Refused(f"That is too many choices for one {self.item.name}.")
        self.wishes.wanted.extend([found] * number)

    def _is_added(self, found: Wanted) -> bool:
        """Not “extra lettuce” where it comes with it, nor “extra hot” where one has to be chosen."""
        return all(
            not modifier.is_default and group.minimum == 0
            for modifier, group in _modifiers(self.item)
            if modifier.id in found
        )

    def _usual(self, said: Phrase) -> list[Match[ModifierOffer]]:
        """“no cheese” takes off the cheddar cheese that comes with it, if it is the only cheese."""
        found = self.names.understood(said, Short.ALL_BUT_THE_HEAD)
        usual = [match for match in found if match.offer.is_default]
        return usual if len(usual) == 1 else []

    def _meant(self, matches: Sequence[Match[ModifierOffer]]) -> Wanted:
        names = list(dict.fromkeys(match.offer.name for match in matches))
        one_name = [name for name in names if not same_name(name, names[0])]
        if one_name:
            raise Refused(f"Which do you mean for the {self.item.name}: {either(names)}?")
        return {match.offer.id: match.offer for match in matches}

    def _is_part_of_it(self, said: Phrase) -> bool:
        """Whether the item's own name or description mentions it: then the kitchen has to know."""
        item = self.item
        texts = (item.name, *item.spoken_forms, item.description)
        about = [read_phrase(text, self.table) for text in texts if text]
        return any(compare(said, phrase, self.names.ear).is_understood for phrase in about)

    def _with_their_negation(self, parts: Sequence[str]) -> Iterator[str]:
        """“no ham and olives” takes off usual olives. If they are no part of it, it may mean either: the agent asks."""
        negation = ""
        for part in parts:
            tokens = read_tokens(part, self.table)
            if tokens[0].role is Role.WITHOUT:
                negation = tokens[0].text
            elif negation and read_phrase(part, self.table).marks == ():
                found = self.names.understood(read_phrase(part, self.table), Short.THE_HEADING)
                if not all(match.offer.is_default for match in found):
                    raise Refused(f"Should the {self.item.name} be with or without {part[:60]}?")
                yield f"{negation} {part}"
                continue
            yield part

    def _refuse(self, text: str) -> bool:
        said = read_phrase(text, self.table)
        is_about_amount = bool(said.marks or said.starts_negated or any(word.is_negated for word in said.words))
        if is_about_amount and self._is_known(said):
            self._note(text)
        near = self.names.near(said)
        short = [match.offer.name for match in near if match.comparison.is_understood]
        if len(short) > 1:
            raise Refused(f"Which do you mean for the {self.item.name}: {either(short)}?")
        names = [match.offer.name for match in near] or closest_names(text, self.names.offers)
        raise Refused(f"{self._no_choice(text)}{f' Do you mean {either(names[:3])}?' if names else AS_A_NOTE}")

    def _is_known(self, said: Phrase) -> bool:
        """Whether it is only the amount or the negation that there is no choice for."""
        bare = Phrase(tuple(replace(word, is_negated=False) for word in said.words))
        return bool(bare.words) and (bool(self.names.understood(bare, Short.THE_HEADING)) or self._is_part_of_it(bare))

    def _note(self, text: str) -> None:
        raise Refused(f"{self._no_choice(text)}{AS_A_NOTE}")

    def _no_choice(self, text: str) -> str:
        return f"“{text.strip()[:60]}” is not a choice for the {self.item.name}."


def _without_negation(said: Phrase) -> Phrase | None:
    """What “no X” and “X-free” are about; None where nothing or only a part is negated."""
    words = [word for word in said.words if word.is_negated]
    marks = [mark for mark in said.marks if mark.startswith(NOT)]
    if len(words) != len(said.words) or len(marks) != len(said.marks) or not (words or marks) or said.amounts:
        return None
    return replace(
        said,
        words=tuple(replace(word, is_negated=False) for word in words),
        marks=tuple(mark.removeprefix(NOT) for mark in marks),
        starts_negated=False,
        negations=0,
    )


def _modifiers(item: ItemOffer) -> Iterator[tuple[ModifierOffer, GroupOffer]]:
    for group in item.all_groups():
        yield from ((modifier, group) for modifier in group.modifiers)


def _names_of_modifiers(item: ItemOffer, table: WordTable) -> Names[ModifierOffer]:
    """Every modifier of the item under the name of its group."""
    everything = list(_modifiers(item))
    return names_of(
        [modifier for modifier, _ in everything],
        table,
        headings=[group.name for _, group in everything],
        beside=(item.name, *item.spoken_forms, item.description),
    )
