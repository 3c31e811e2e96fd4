"""The result of a check: passed, failed with the fix, or skipped with the reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` is one sentence that says what to do. Neither text ever holds a secret."""

    name: str
    is_well: bool | None
    detail: str
    fix: str = ""

    @property
    def mark(self) -> str:
        return {True: "✓", False: "✗", None: "–"}[self.is_well]


def passed(name: str, detail: str) -> Finding:
    return Finding(name, True, detail)


def failed(name: str, detail: str, fix: str) -> Finding:
    return Finding(name, False, detail, fix)


def skipped(name: str, detail: str) -> Finding:
    """Not checked; no failure."""
    return Finding(name, None, detail)
