"""The outputs of a response: speech and function calls, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Speech:
    """`is_verbatim`: the instructions requested exactly this text."""

    text: str
    is_verbatim: bool = False


@dataclass(frozen=True, slots=True)
class FunctionCall:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


Output = Speech | FunctionCall
