"""The sentences of a telephone order as weighted arcs for the decoder, with the names of the menu."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from voiceapp.simulators.model.recognition.automaton import Automaton, compile_grammar
from voiceapp.simulators.model.recognition.jsgf import Maybe, Node, OneOf, Sequence, Word, read_grammar, read_pattern
from voiceapp.simulators.model.recognition.name_lists import QUANTITIES, NameLists, people_and_cars
from voiceapp.simulators.model.spelling import NUMBERS

_FOLDER = Path(__file__).parent
ORDERS, APPOINTMENTS = "orders", "appointments"
# Later files replace rules of the same name; a habit that is no sentence of the grammar is ignored.
_FILES = {
    ORDERS: (("rules.jsgf",), ("habits.txt",)),
    APPOINTMENTS: (("rules.jsgf", "appointments.jsgf"), ("habits.txt", "appointment_habits.txt")),
}

Arc = tuple[int, int, float] | tuple[int, int, float, str]
WordArc = tuple[int, str]

# How strongly uncommon arcs and rare names are penalized: tuned on 220 spoken sentences, verified on 120 others.
_HABIT_POWER, _NAME_POWER = 5.0, 2.0
_KNOWN_NAME_POWER = 1.3  # the lists of people and cars are long: none of their names is rare
_PRIOR, _LEAST = 2.0, 0.02
_STOP = ""


def arcs_with(names: NameLists) -> list[Arc]:
    """The start state is 0, the end state is the highest."""
    subject = APPOINTMENTS if names.menu.services else ORDERS
    automaton, weights = automaton_of(subject), _weights(subject)
    forms = {kind: [token(form) for form in table] for kind, table in names.lists.items()}
    end = 1 + max(max(start, to) for start, to, _ in automaton.arcs)
    arcs: list[Arc] = [(final, end, weights[final, _STOP] ** _HABIT_POWER) for final in automaton.finals]
    for start, to, word in automaton.arcs:
        weight = weights[start, word] ** _HABIT_POWER
        if not word.isupper():
            arcs.append((start, to, weight, word))
            continue
        for form in forms.get(word, ()):
            share = _NUMBER_SHARES[form] if word == "NUMBER" else 1 / len(forms[word])
            power = _KNOWN_NAME_POWER if word in people_and_cars() else _NAME_POWER
            arcs.append((start, to, weight * share**power, form))
    return arcs


@lru_cache(maxsize=2)
def automaton_of(subject: str) -> Automaton:
    """It takes less than a second, once in a process: it does not depend on the menu."""
    return compile_grammar(read_grammar("\n".join(_read(name) for name in _FILES[subject][0])))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _habits(subject: str) -> Iterator[str]:
    for name in _FILES[subject][1]:
        yield from (line for line in _read(name).splitlines() if line and not line.startswith("#"))


def token(form: str) -> str:
    """A name of several words is one word of the decoder."""
    return form.replace(" ", "_")


@lru_cache(maxsize=2)
def _weights(subject: str) -> dict[WordArc, float]:
    """The probability of each arc of a state, from habits.txt, with the frequency of its word as a prior."""
    automaton = automaton_of(subject)
    table: dict[int, dict[str, int]] = defaultdict(dict)
    for start, to, word in automaton.arcs:
        table[start][word] = to
    seen: dict[WordArc, float] = defaultdict(float)
    common: dict[str, float] = defaultdict(float)
    for pattern in _habits(subject):
        sentences = list(_sentences(read_pattern(pattern)))
        for sentence in sentences:
            for way in _path(sentence, table, automaton.finals):
                seen[way] += 1 / len(sentences)
                common[way[1]] += 1 / len(sentences)
    weights: dict[WordArc, float] = {}
    for state in set(table) | automaton.finals:
        ways = [*table[state], *([_STOP] if state in automaton.finals else [])]
        whole = sum(common[word] + _LEAST for word in ways)
        count = sum(seen[state, word] for word in ways)
        for word in ways:
            expected = (common[word] + _LEAST) / whole
            weights[state, word] = (seen[state, word] + _PRIOR * expected) / (count + _PRIOR)
    return weights


def _path(sentence: tuple[str, ...], table: dict[int, dict[str, int]], finals: set[int]) -> list[WordArc]:
    """The arcs of a sentence; empty if it is not in the grammar."""
    state, ways = 0, []
    for word in sentence:
        if word not in table[state]:
            return []
        ways.append((state, word))
        state = table[state][word]
    return [*ways, (state, _STOP)] if state in finals else []


def _sentences(node: Node) -> Iterator[tuple[str, ...]]:
    if isinstance(node, Word):
        yield (node.text,)
    elif isinstance(node, Sequence):
        for parts in itertools.product(*(list(_sentences(part)) for part in node.parts)):
            yield tuple(itertools.chain(*parts))
    elif isinstance(node, OneOf):
        for choice in node.choices:
            yield from _sentences(choice)
    elif isinstance(node, Maybe):
        yield ()
        yield from _sentences(node.node)
    else:
        raise TypeError("a pattern of habits.txt has no repetition and no rule")


def _number_shares() -> dict[str, float]:
    shares = {
        token(words): 1 / (number + 1) if number <= 6 else 0.08 if number <= 10 else 0.03
        for words, number in NUMBERS.items()
    } | {token(words): 0.03 for words in QUANTITIES}
    whole = sum(shares.values())
    return {words: share / whole for words, share in shares.items()}


_NUMBER_SHARES = _number_shares()
