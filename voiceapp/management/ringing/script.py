"""The script of a caller, and what is expected to come of the call, read from JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Steps for the simulated phone, and what is expected. None: nothing is compared; empty: none may exist.

    `caller` is the number that rings, if it matters; `phones` says what the people at other numbers do. `texts` are the
    kinds of texts that arrive at the caller's phone; `transfer` is the name of who talks to the caller in the end.
    """

    steps: tuple[object, ...]
    caller: str = ""
    phones: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    expected: tuple[ExpectedLine, ...] | None = None
    appointments: tuple[ExpectedAppointment, ...] | None = None
    texts: tuple[str, ...] | None = None
    transfer: str | None = None

    @property
    def what_is_expected(self) -> str:
        """“appointment and text”; empty if nothing is."""
        named = {
            "order": self.expected,
            "appointment": self.appointments,
            "text": self.texts,
            "transfer": self.transfer,
        }
        return " and ".join(name for name, expected in named.items() if expected is not None)


def read_script(path: Path) -> Script:
    """Read a script file: `{"steps": [...], "expect": {"order": [...]}}`, see docs/reference/simulator-twilio.md."""
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
    if unknown := set(content) - FIELDS:
        raise ScriptError(f"A script has only {', '.join(sorted(FIELDS))}, not {', '.join(sorted(unknown))}.")
    caller, phones = content.get("from", ""), content.get("phones", {})
    if not isinstance(caller, str):
        raise ScriptError('"from" is the caller\'s number as text.')
    if not isinstance(phones, dict) or not all(isinstance(each, dict) for each in phones.values()):
        raise ScriptError('"phones" is written like {"+493023125020": {"behaves": "accept"}}.')
    expect = content.get("expect", {})
    if not isinstance(expect, dict) or ("expect" in content and not expect) or set(expect) - EXPECTED:
        raise ScriptError(
            '"expect" is written like {"order": [{"item": "Margherita", "size": "large", "quantity": 2}]} or '
            '{"appointments": [{"service": "Oil change", "weekday": "Thursday", "time": "09:00"}], '
            '"texts": ["appointment_confirmation"], "transfer": "Service desk"}.'
        )
    lines, appointments, texts = (_list(expect, name) for name in ("order", "appointments", "texts"))
    transfer = expect.get("transfer")
    if transfer is not None and not isinstance(transfer, str):
        raise ScriptError('"transfer" in "expect" is the name of a transfer target; empty: nobody is called.')
    return Script(
        steps=tuple(content["steps"]),
        caller=caller,
        phones=phones,
        expected=None if lines is None else tuple(map(_expected_line, lines)),
        appointments=None if appointments is None else tuple(map(_expected_appointment, appointments)),
        texts=None if texts is None else tuple(map(str, texts)),
        transfer=transfer,
    )


FIELDS = {"from", "phones", "steps", "expect"}
EXPECTED = {"order", "appointments", "texts", "transfer"}


def _list(expect: Mapping[str, object], name: str) -> list[object] | None:
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
