"""Parses a grammar in JSGF (words, `|`, `()`, `[]`, `*`, `<rule>`; no recursion) into a tree; LISTS are filled later.

pocketsphinx reads JSGF too, but copies a list of words wherever a rule is named and joins the copies by empty arcs: a
menu's grammar grows to half a million of them. `automaton` compiles the same text into a minimal automaton instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"<[\w.]+>|[a-zA-Z']+|[|()\[\]*]")


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Ref:
    rule: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Maybe:
    node: Node


@dataclass(frozen=True, slots=True)
class Repeated:
    """Zero or more times."""

    node: Node


Node = Word | Ref | Sequence | OneOf | Maybe | Repeated


@dataclass(frozen=True)
class Grammar:
    rules: dict[str, Node]
    start: str


def read_grammar(text: str) -> Grammar:
    """`#JSGF V1.0; grammar name; public <start> = …; <rule> = …;` Raises `ValueError`."""
    rules: dict[str, Node] = {}
    start = ""
    for statement in text.split(";"):
        head, equals, body = statement.partition("=")
        if not equals:
            continue
        name = head.strip().removeprefix("public").strip().strip("<>")
        if "public" in head:
            start = name
        rules[name] = _Parser(_TOKEN.findall(body)).parse()
    return Grammar(rules, start)


def read_pattern(text: str) -> Node:
    """A single expansion."""
    return _Parser(_TOKEN.findall(text)).parse()


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    def parse(self) -> Node:
        node = self._alternatives()
        if self._at != len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._at]}")
        return node

    def _alternatives(self) -> Node:
        choices = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else OneOf(tuple(choices))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")", "]"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _part(self) -> Node:
        symbol = self._next()
        node: Node
        if symbol in "([":
            node = self._alternatives()
            if self._next() != {"(": ")", "[": "]"}[symbol]:
                raise ValueError("brackets do not match")
            node = Maybe(node) if symbol == "[" else node
        elif symbol.startswith("<"):
            node = Ref(symbol[1:-1])
        else:
            node = Word(symbol)
        if self._peek() == "*":
            self._at += 1
            node = Repeated(node)
        return node

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        symbol = self._peek()
        if not symbol or symbol in "*|":
            raise ValueError(f"unexpected {symbol or 'end'}")
        self._at += 1
        return symbol
