"""What a caller may say, as a graph of words: sentences of ordering, with the menu's names in their places.

A graph rather than a written grammar: a rule that names a list in thirty places copies it thirty times, and a menu's
grammar grows beyond what can be searched while a caller waits. Here a list stands where sentences really differ.
"""

from __future__ import annotations

from collections.abc import Iterable

from voiceapp.local.openai.menu_names import NUMBER_WORDS, Lexicon
from voiceapp.local.openai.vocabulary import Kind, phrases

Arc = tuple[int, int, float] | tuple[int, int, float, str]

START, END = 0, 1
ARTICLES = {"a": 1, "an": 1, "another": 1, "one more": 1, "some": 1, "the": 1, "two more": 2, "my": 1}
COUNTS: dict[str, int] = {**NUMBER_WORDS, **ARTICLES}
# What may be said but seldom is.
RARE = 0.05


def modifiers_of(lexicon: Lexicon) -> set[str]:
    """Whatever may be left out or put on, also what this menu does not offer."""
    return set(lexicon.modifiers) | {form[3:] for form in lexicon.modifiers if form.startswith("no ")}


class WordGraph:
    """`arcs` for pocketsphinx's `create_fsg`, from START to END; `words` that need a pronunciation."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._modifiers = modifiers_of(lexicon)
        self._states = END + 1
        self.arcs: list[Arc] = []
        self.words: set[str] = set()
        act, after, more, said = self._state(), self._state(), self._state(), self._state()
        self._opening(act, said)
        self._free(act, more)
        self._orders(more, after)
        self._corrections(act, after)
        self._questions(act, after)
        self._say(Kind.AND, after, more)
        self._free(after, said)
        self._closing(said)
        self._join_free_moves()

    def _opening(self, act: int, said: int) -> None:
        greeted, paused, answered = self._state(), self._state(), self._state()
        self._say(Kind.HELLO, START, greeted)
        self._free(START, greeted)
        self._say(Kind.FILLER, greeted, paused, RARE)
        self._free(greeted, paused)
        for kind in (Kind.YES, Kind.NO):
            self._say(kind, paused, answered)
        self._free(paused, answered)
        self._say(Kind.FIX, answered, act)
        self._free(answered, act)
        self._free(answered, said)

    def _orders(self, act: int, after: int) -> None:
        lead, thing, put = self._state(), self._state(), self._state()
        self._say(Kind.LEAD, act, lead)
        self._line(lead, thing)
        self._line(act, thing, bare=RARE)
        self._say(Kind.INSTEAD, thing, after, RARE)
        self._free(thing, after)
        some = self._state()
        self._list(lead, some, ["some", "the"], RARE)
        self._free(lead, some)
        self._free(act, some, RARE)
        self._modifier(some, put)
        self._say(Kind.WITHOUT, act, thing_out := self._state(), RARE * RARE)
        self._modifier(thing_out, put)
        self._on(put, after)
        an = self._state()
        for start in (lead, act):
            self._list(start, an, ["a", "the"])
            self._free(start, an)
        self._list(an, after, self._lexicon.sizes, RARE)

    def _corrections(self, act: int, after: int) -> None:
        for kind in (Kind.SAME, Kind.RESTART, Kind.PERSON):
            self._say(kind, act, after)
        self._list(act, only := self._state(), ["just", "only", "no only", "no just"])
        self._free(act, only, RARE * RARE)
        self._list(only, after, NUMBER_WORDS)
        make, target = self._state(), self._state()
        self._say(Kind.MAKE, act, make)
        self._say(Kind.MAKE_THE, act, the := self._state())
        self._list(the, make, self._lexicon.items)
        self._target(make, after)
        self._say(Kind.CHANGE, act, change := self._state())
        self._object(change, changed := self._state())
        self._list(changed, target, phrases()[Kind.TO])
        self._target(target, after)
        self._say(Kind.REMOVE, act, remove := self._state())
        self._object(remove, after)
        self._list(remove, anything := self._state(), ["the", "any"])
        self._free(remove, anything)
        self._list(anything, gone := self._state(), self._modifiers)
        self._on(gone, after)

    def _target(self, start: int, end: int) -> None:
        """What it shall be: a number, a size, another line, a modifier."""
        self._list(start, end, NUMBER_WORDS)
        self._list(start, one := self._state(), ["a", "an", "the"])
        self._free(start, one)
        self._list(one, end, self._lexicon.sizes)
        self._line(start, end)
        self._say(Kind.WITH, start, added := self._state())
        self._say(Kind.WITHOUT, start, added)
        self._free(start, added, RARE)
        self._modifier(added, end)

    def _object(self, start: int, end: int) -> None:
        """What is spoken of: that one, or an item of the order."""
        self._say(Kind.THAT, start, end)
        self._list(start, the := self._state(), ["the", "my", "that", "one", "all the"])
        self._free(start, the, RARE)
        self._list(the, sized := self._state(), self._lexicon.sizes)
        self._free(the, sized)
        self._list(sized, end, self._lexicon.items)

    def _on(self, start: int, end: int) -> None:
        self._say(Kind.ON, start, end)
        self._say(Kind.ON_THE, start, the := self._state())
        self._list(the, end, self._lexicon.items)
        self._free(start, end)

    def _line(self, start: int, end: int, *, bare: float = 1.0) -> None:
        """[count] [size] [modifier] item [in a size], with modifiers; `bare`: how likely without a count."""
        counted, sized, fronted, named, dressed, more = (self._state() for _ in range(6))
        self._list(start, counted, COUNTS)
        self._free(start, counted, bare)
        self._list(counted, sized, self._lexicon.sizes)
        self._free(counted, sized)
        self._list(sized, fronted, self._lexicon.modifiers, RARE)
        self._free(sized, fronted)
        self._list(fronted, named, self._lexicon.items)
        self._say(Kind.IN, named, in_size := self._state())
        self._list(in_size, dressed, self._lexicon.sizes)
        self._free(named, dressed)
        self._say(Kind.WITH, dressed, more)
        self._say(Kind.WITHOUT, dressed, more)
        self._modifier(more, end)
        self._free(dressed, end)

    def _modifier(self, start: int, end: int) -> None:
        """One, or several joined."""
        self._list(start, one := self._state(), self._modifiers)
        self._say(Kind.WITH, one, start)
        self._say(Kind.WITHOUT, one, start)
        self._list(one, start, ["and a", "and an"], RARE)
        self._free(one, end)

    def _questions(self, act: int, after: int) -> None:
        for kind in (Kind.HOURS, Kind.MENU, Kind.TOTAL, Kind.AGAIN):
            self._say(kind, act, after)
        self._say(Kind.PRICE, act, price := self._state())
        self._list(price, sized := self._state(), self._lexicon.sizes)
        self._free(price, sized)
        self._list(sized, priced := self._state(), self._lexicon.items)
        self._say(Kind.COST, priced, after)
        self._free(priced, after)
        self._say(Kind.HAVE, act, have := self._state())
        for table in (self._lexicon.items, self._lexicon.categories, self._lexicon.modifiers):
            self._list(have, after, table)
        self._say(Kind.SIZES, act, sizes := self._state())
        self._free(sizes, after)
        self._say(Kind.ON_THE, sizes, of := self._state())
        self._list(of, after, self._lexicon.items)
        self._say(Kind.KINDS, act, kind_of := self._state())
        self._list(kind_of, kinds := self._state(), self._lexicon.categories)
        self._say(Kind.DO_YOU_HAVE, kinds, after)

    def _closing(self, after: int) -> None:
        polite, linked, done, thanked = (self._state() for _ in range(4))
        self._say(Kind.PLEASE, after, polite)
        self._free(after, polite)
        self._list(polite, linked, ["and"], RARE)
        self._free(polite, linked)
        self._say(Kind.DONE, linked, done)
        self._free(polite, done)
        self._say(Kind.THANKS, done, thanked)
        self._free(done, thanked)
        self._say(Kind.BYE, thanked, END)
        self._free(thanked, END)

    def _join_free_moves(self) -> None:
        """pocketsphinx follows one move without a word, not two in a row: add the direct ones."""
        moves: dict[int, dict[int, float]] = {}
        for start, end, weight in (arc for arc in self.arcs if len(arc) == 3):
            moves.setdefault(start, {})[end] = weight
        for start in moves:
            todo, best = list(moves[start].items()), dict(moves[start])
            while todo:
                state, weight = todo.pop()
                for end, more in moves.get(state, {}).items():
                    if weight * more > best.get(end, 0.0):
                        best[end] = weight * more
                        todo.append((end, weight * more))
            self.arcs += [(start, end, weight) for end, weight in best.items() if end not in moves[start]]

    def _state(self) -> int:
        self._states += 1
        return self._states - 1

    def _free(self, start: int, end: int, weight: float = 1.0) -> None:
        self.arcs.append((start, end, weight))

    def _say(self, kind: Kind, start: int, end: int, weight: float = 1.0) -> None:
        self._list(start, end, phrases()[kind], weight)

    def _list(self, start: int, end: int, forms: Iterable[str], weight: float = 1.0) -> None:
        """Word by word, sharing beginnings."""
        tree: dict[tuple[int, str], int] = {}
        for form in sorted(set(forms)):
            *first, last = form.split()
            at, cost = start, weight
            for word in first:
                if (at, word) not in tree:
                    tree[at, word] = self._state()
                    self.arcs.append((at, tree[at, word], cost, word))
                at, cost = tree[at, word], 1.0
            self.arcs.append((at, end, cost, last))
            self.words.update(form.split())
