"""What a response consists of: things to say and tools to call, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Speak:
    """`is_verbatim`: the response was told to say exactly this."""

    text: str
    is_verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


Part = Speak | Call
