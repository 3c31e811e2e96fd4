"""Finds when the caller said something, so that it can be heard again: the words of a name among the caller's lines.

A name is compared as the draft compares one with the menu (docs/explanation/spoken-names.md): slips and other forms of
a word count as that word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from agents.catalog.spoken import Ear, read_phrase
from agents.catalog.spoken.folding import plain_text

from .models import TranscriptLine, Turn

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# As much of a name as must be in a line of the turn itself; with less of it an earlier line may be the one.
ENOUGH = 0.5
# Nobody orders what was mentioned longer ago than this.
MOST_LINES_BACK = 12
MOST_LINES = 200
# How fast people speak: about 16 characters a second.
MS_PER_CHARACTER = 62
LONGEST_LINE = 600
# A word is understood better with a little of what stands before it, and its time is an estimate.
HEARD_BEFORE_MS = 1000


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A line of the caller's, on the clock of `spoken_at_ms`."""

    text: str
    starts_ms: int
    ends_ms: int
    turn: int

    def ms_of(self, offset: int) -> int:
        """When the character at this place was said, if all were said equally fast."""
        return self.starts_ms + (self.ends_ms - self.starts_ms) * offset // max(len(self.text), 1)


@dataclass(frozen=True, slots=True)
class _Found:
    line: SaidLine
    offset: int
    share: float


def caller_lines(call_id: UUID) -> list[SaidLine]:
    """What the caller said, in order: two queries."""
    ends = dict(
        Turn.objects.filter(call=call_id, speech_ended_ms__isnull=False).values_list("number", "speech_ended_ms")
    )
    rows = TranscriptLine.objects.filter(call=call_id, speaker=TranscriptLine.Speaker.CALLER).exclude(text="")
    return [
        SaidLine(text[:LONGEST_LINE], at_ms, _end(text[:LONGEST_LINE], at_ms, ends.get(turn)), turn)
        for text, at_ms, turn in rows.order_by("spoken_at_ms", "id").values_list("text", "spoken_at_ms", "turn")
    ]


def said_at_ms(names: Sequence[str], lines: Sequence[SaidLine], turn: int | None) -> int | None:
    """When the caller said one of the names, which the model wrote down in this turn; None if nobody can tell.

    A name counts from the turn itself or, where it was not said there (“yes, that one”), from the turns before it.
    Without its words it is the turn's own line. `turn` None: any, and only by the words.
    """
    before = [line for line in lines if line.turn <= turn][-MOST_LINES_BACK:] if turn is not None else lines
    found = [best for line in reversed(before[-MOST_LINES:]) if (best := _best(names, line)) is not None]
    own = next((each for each in found if each.line.turn == turn and each.share >= ENOUGH), None)
    # max() keeps the first of equals: the latest line.
    best = own or max(found, key=lambda each: each.share, default=None)
    if best is not None:
        return best.line.ms_of(best.offset)
    return before[-1].starts_ms if before and turn is not None else None


def hear_from(at_ms: int | None) -> str:
    """“83.2”: the second of the call from which to listen to what was said then; empty for None."""
    return "" if at_ms is None else f"{max(at_ms - HEARD_BEFORE_MS, 0) / 1000:.1f}"


def _end(text: str, at_ms: int, speech_ended_ms: int | None) -> int:
    """The end of the speech as it was measured, if it can be this line's."""
    spoken_ms = len(text) * MS_PER_CHARACTER
    if speech_ended_ms is not None and at_ms < speech_ended_ms <= at_ms + 3 * spoken_ms:
        return speech_ended_ms
    return at_ms + spoken_ms


def _best(names: Sequence[str], line: SaidLine) -> _Found | None:
    """Where most of a name's words stand together; the first place of equals."""
    said = [(plain_text(match[0]), match.start()) for match in WORD.finditer(line.text)]
    ear = Ear()
    best: _Found | None = None
    for name in names:
        wanted = [word.text for word in read_phrase(name).words]
        for at in range(len(said) if wanted else 0):
            share = _share(wanted, [text for text, _ in said[at : at + len(wanted) + 2]], ear)
            if share and (best is None or share > best.share):
                best = _Found(line, said[at][1], share)
    return best


def _share(wanted: Sequence[str], window: Sequence[str], ear: Ear) -> float:
    """How much of the name these words say; 0 if it does not begin with the first of them."""
    first = (window[0], "".join(window[:2]))
    if not any(_is_like(heard, word, ear) for heard in first for word in (*wanted, "".join(wanted))):
        return 0
    heard = list(_heard(window))
    if any(_is_like(each, "".join(wanted), ear) for each in heard):
        return 1  # “cheeseburger” for the Cheese Burger
    return sum(any(_is_like(each, word, ear) for each in heard) for word in wanted) / len(wanted)


def _heard(window: Sequence[str]) -> Iterator[str]:
    """Each word, and each two as one: “milk shake” for the Milkshake."""
    yield from window
    yield from (one + other for one, other in pairwise(window))


def _is_like(heard: str, word: str, ear: Ear) -> bool:
    return ear.likeness(heard, word) is not None
