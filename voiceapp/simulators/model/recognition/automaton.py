"""Compiles a grammar into a minimal deterministic automaton over words, which the decoder searches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from voiceapp.simulators.model.recognition.jsgf import Grammar, Maybe, Node, OneOf, Ref, Sequence, Word


@dataclass(frozen=True)
class Automaton:
    """Arcs are (from, to, word); it starts in 0."""

    arcs: list[tuple[int, int, str]]
    finals: set[int]


@dataclass
class _Net:
    """A nondeterministic automaton: states with word arcs and empty arcs, built from the tree of the grammar."""

    arcs: list[dict[str, set[int]]] = field(default_factory=list)
    free: list[set[int]] = field(default_factory=list)

    def state(self) -> int:
        self.arcs.append(defaultdict(set))
        self.free.append(set())
        return len(self.arcs) - 1

    def build(self, grammar: Grammar, node: Node, start: int) -> int:
        """Add the node from `start`. Returns the state where it ends."""
        if isinstance(node, Word):
            end = self.state()
            self.arcs[start][node.text].add(end)
            return end
        if isinstance(node, Ref):
            return self.build(grammar, grammar.rules[node.rule], start)
        if isinstance(node, Sequence):
            for part in node.parts:
                start = self.build(grammar, part, start)
            return start
        if isinstance(node, OneOf):
            end = self.state()
            for choice in node.choices:
                self.free[self.build(grammar, choice, start)].add(end)
            return end
        if isinstance(node, Maybe):
            end = self.state()
            self.free[start].add(end)
            self.free[self.build(grammar, node.node, start)].add(end)
            return end
        loop = self.state()
        self.free[start].add(loop)
        self.free[self.build(grammar, node.node, loop)].add(loop)
        end = self.state()
        self.free[loop].add(end)
        return end

    def closures(self) -> list[frozenset[int]]:
        """For each state, the states that are reached by empty arcs."""
        found: list[frozenset[int]] = []
        for state in range(len(self.arcs)):
            seen, todo = {state}, [state]
            while todo:
                for each in self.free[todo.pop()] - seen:
                    seen.add(each)
                    todo.append(each)
            found.append(frozenset(seen))
        return found


def compile_grammar(grammar: Grammar) -> Automaton:
    net = _Net()
    start = net.state()
    end = net.build(grammar, Ref(grammar.start), start)
    closures = net.closures()
    useful = {state for state in range(len(net.arcs)) if net.arcs[state] or state == end}
    closures = [closure & useful for closure in closures]
    names: dict[frozenset[int], int] = {closures[start]: 0}
    todo, table, finals = [closures[start]], [], set()
    for subset in todo:
        moves: dict[str, set[int]] = defaultdict(set)
        for state in subset:
            for word, targets in net.arcs[state].items():
                for target in targets:
                    moves[word] |= closures[target]
        row: dict[str, int] = {}
        for word in sorted(moves):
            after = frozenset(moves[word])
            if after not in names:
                names[after] = len(names)
                todo.append(after)
            row[word] = names[after]
        table.append(row)
        if end in subset:
            finals.add(names[subset])
    return _minimal(table, finals)


def _minimal(table: list[dict[str, int]], finals: set[int]) -> Automaton:
    """Merge equivalent states (Moore)."""
    block = [int(state in finals) for state in range(len(table))]
    count = len(set(block))
    while True:
        names: dict[object, int] = {}
        refined = [
            names.setdefault((block[state], *sorted((word, block[to]) for word, to in row.items())), len(names))
            for state, row in enumerate(table)
        ]
        if len(names) == count:
            break
        block, count = refined, len(names)
    first = {0: block[0]}
    order = {name: at for at, name in enumerate(dict.fromkeys([first[0], *block]))}
    arcs = {
        (order[block[state]], order[block[to]], word) for state, row in enumerate(table) for word, to in row.items()
    }
    return Automaton(sorted(arcs), {order[block[state]] for state in finals})
