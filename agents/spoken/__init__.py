"""Compares what a caller said with configured names, word by word (docs/spoken-names.md). No Django."""

from .likeness import Ear, closest
from .phrase import Phrase, Word, read_phrase
from .table import DEFAULT_TABLE, Role, WordTable
from .tokens import LONGEST_NAME, Token, read_tokens

__all__ = [
    "DEFAULT_TABLE",
    "LONGEST_NAME",
    "Ear",
    "Phrase",
    "Role",
    "Token",
    "Word",
    "WordTable",
    "closest",
    "read_phrase",
    "read_tokens",
]
