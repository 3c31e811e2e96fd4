"""Compares what a caller said with configured names, word by word (docs/explanation/spoken-names.md). No Django."""

from .comparison import EMPTY, Comparison, compare, heads
from .likeness import Ear, Likeness, closest
from .phrase import Amount, Phrase, Word, read_phrase, readings
from .table import DEFAULT_TABLE, Role, WordTable
from .tokens import LONGEST_NAME, Token, read_tokens

__all__ = [
    "DEFAULT_TABLE",
    "EMPTY",
    "LONGEST_NAME",
    "Amount",
    "Comparison",
    "Ear",
    "Likeness",
    "Phrase",
    "Role",
    "Token",
    "Word",
    "WordTable",
    "closest",
    "compare",
    "heads",
    "read_phrase",
    "read_tokens",
    "readings",
]
