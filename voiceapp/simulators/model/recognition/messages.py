"""Recognizes what callers say to a voicemail, by a grammar of its own: no menu helps there."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

from voiceapp.simulators.model.recognition.automaton import compile_grammar
from voiceapp.simulators.model.recognition.grammar import Arc
from voiceapp.simulators.model.recognition.jsgf import read_grammar
from voiceapp.simulators.model.recognition.pronunciation import pronunciations
from voiceapp.simulators.model.recognition.recognizer import Recognizer

_RULES = Path(__file__).with_name("messages.jsgf").read_text(encoding="utf-8")
_MAX_PRONUNCIATIONS = 3


@lru_cache(maxsize=1)
def message_recognizer() -> Recognizer:
    """Built once, in less than a second."""
    return Recognizer(_arcs(), lambda word: pronunciations(word)[:_MAX_PRONUNCIATIONS])


def _arcs() -> list[Arc]:
    """Every arc of a state is as likely as the others."""
    automaton = compile_grammar(read_grammar(_RULES))
    ways = Counter(start for start, _, _ in automaton.arcs)
    ways.update(automaton.finals)
    end = 1 + max(max(start, to) for start, to, _ in automaton.arcs)
    arcs: list[Arc] = [(final, end, 1 / ways[final]) for final in automaton.finals]
    return arcs + [(start, to, 1 / ways[start], word) for start, to, word in automaton.arcs]
