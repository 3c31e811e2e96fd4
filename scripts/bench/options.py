"""What the person at the keyboard may choose about a run of the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    calls: tuple[int, ...]
    seconds: float
    runs: int
    rounds: tuple[str, ...] = ()
