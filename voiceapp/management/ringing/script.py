"""The script of a caller and the expected order, read from JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


class ScriptError(ValueError):
    """The script is invalid; the message has the fix."""


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """A line of the expected order: names as on the menu, with every chosen modifier."""

    item: str
    quantity: int = 1
    size: str = ""
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Steps for the simulated phone, and the expected order (None: nothing is compared; empty: no order may exist)."""

    steps: tuple[object, ...]
    expected: tuple[ExpectedLine, ...] | None = None


def read_script(path: Path) -> Script:
    """Read a script file: `{"steps": [...], "expect": {"order": [...]}}`."""
    try:
        content = json.loads(path.read_text())
    except OSError as exc:
        raise ScriptError(f"{path} cannot be read: {exc.strerror}.") from exc
    except (ValueError, RecursionError) as exc:
        raise ScriptError(f"{path} is not JSON: {exc}.") from exc
    return parse_script(content)


def parse_script(content: object) -> Script:
    """Validate a script and its expected order; the simulated phone validates the steps."""
    if not isinstance(content, dict) or not isinstance(content.get("steps"), list):
        raise ScriptError('A script is an object with "steps", a list.')
    unknown = set(content) - {"steps", "expect"}
    if unknown:
        raise ScriptError(f"A script has only “steps” and “expect”, not {', '.join(sorted(unknown))}.")
    return Script(steps=tuple(content["steps"]), expected=_expected(content.get("expect")))


def _expected(expect: object) -> tuple[ExpectedLine, ...] | None:
    if expect is None:
        return None
    lines = expect.get("order") if isinstance(expect, dict) else None
    if not isinstance(lines, list):
        raise ScriptError(
            '"expect" is written like {"order": [{"item": "Margherita", "size": "large", "quantity": 2}]}.'
        )
    return tuple(_expected_line(line) for line in lines)


def _expected_line(line: object) -> ExpectedLine:
    if not isinstance(line, dict) or not isinstance(line.get("item"), str):
        raise ScriptError('An expected line names its "item".')
    modifiers = line.get("modifiers", [])
    quantity, size = line.get("quantity", 1), line.get("size", "")
    if not isinstance(modifiers, list) or not isinstance(quantity, int) or not isinstance(size, str):
        raise ScriptError('An expected line has "item", "quantity" (whole), "size" and "modifiers" (a list of names).')
    return ExpectedLine(line["item"], quantity, size, tuple(sorted(str(modifier) for modifier in modifiers)))
