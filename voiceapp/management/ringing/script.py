"""The script of a caller, and the expected order and appointments, read from JSON."""

from __future__ import annotations

import datetime as dt
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


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class ExpectedAppointment:
    """An expected appointment: on the weekday and at the time of the organization. Empty texts are not compared."""

    service: str
    weekday: str
    time: dt.time
    within_days: int = 7
    customer_name: str = ""
    vehicle: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """Steps for the simulated phone, and the expected order and appointments.

    None: nothing is compared; empty: none may exist.
    """

    steps: tuple[object, ...]
    expected: tuple[ExpectedLine, ...] | None = None
    appointments: tuple[ExpectedAppointment, ...] | None = None


def read_script(path: Path) -> Script:
    """Read a script file: `{"steps": [...], "expect": {"order": [...], "appointments": [...]}}`."""
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
    expect = content.get("expect")
    if expect is None:
        return Script(steps=tuple(content["steps"]))
    if not isinstance(expect, dict) or not expect or set(expect) - {"order", "appointments"}:
        raise ScriptError(
            '"expect" is written like {"order": [{"item": "Margherita", "size": "large", "quantity": 2}]} or '
            '{"appointments": [{"service": "Oil change", "weekday": "Thursday", "time": "09:00"}]}.'
        )
    lines, appointments = _list(expect, "order"), _list(expect, "appointments")
    return Script(
        steps=tuple(content["steps"]),
        expected=None if lines is None else tuple(map(_expected_line, lines)),
        appointments=None if appointments is None else tuple(map(_expected_appointment, appointments)),
    )


def _list(expect: dict[str, object], name: str) -> list[object] | None:
    listed = expect.get(name, [])
    if not isinstance(listed, list):
        raise ScriptError(f'"{name}" in "expect" is a list.')
    return listed if name in expect else None


def _expected_appointment(expected: object) -> ExpectedAppointment:
    try:
        fields = dict(expected)  # type: ignore[call-overload]
        fields["time"] = dt.time.fromisoformat(fields["time"])
        appointment = ExpectedAppointment(**fields)
    except (KeyError, TypeError, ValueError) as exc:
        raise ScriptError(
            'An expected appointment has "service", "weekday" and "time" (like 09:00), and may have "within_days", '
            '"customer_name" and "vehicle".'
        ) from exc
    if appointment.weekday not in WEEKDAYS:
        raise ScriptError(f'"weekday" is one of {", ".join(WEEKDAYS)}.')
    return appointment


def _expected_line(line: object) -> ExpectedLine:
    if not isinstance(line, dict) or not isinstance(line.get("item"), str):
        raise ScriptError('An expected line names its "item".')
    modifiers = line.get("modifiers", [])
    quantity, size = line.get("quantity", 1), line.get("size", "")
    if not isinstance(modifiers, list) or not isinstance(quantity, int) or not isinstance(size, str):
        raise ScriptError('An expected line has "item", "quantity" (whole), "size" and "modifiers" (a list of names).')
    return ExpectedLine(line["item"], quantity, size, tuple(sorted(str(modifier) for modifier in modifiers)))
