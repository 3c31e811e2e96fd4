"""A small validator of JSON that reports the first error as OpenAI does: its code, its message, its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


class InvalidRequest(Exception):
    """A client event or request body that OpenAI rejects with an error."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


Check = Callable[[Any, str], None]


def _name(value: object) -> str:
    return _NAMES.get(type(value), "an integer" if isinstance(value, int) else "a decimal")


def wrong_type(value: object, path: str, expected: str) -> InvalidRequest:
    message = f"Invalid type for '{path}': expected {expected}, but got {_name(value)} instead."
    return InvalidRequest("invalid_type", message, path)


def missing(path: str) -> InvalidRequest:
    return InvalidRequest("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def unsupported(value: object, path: str, supported: list[str]) -> InvalidRequest:
    listed = ", ".join(f"'{each}'" for each in supported)
    return InvalidRequest("invalid_value", f"Invalid value: '{value}'. Supported values are: {listed}.", path)


def text(*, longest: int | None = None, shortest: int = 0, pattern: str = "") -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(value, path, "a string")
        if len(value) < shortest:
            message = f"Invalid '{path}': empty string. Expected a string with minimum length {shortest}."
            raise InvalidRequest("empty_string", message, path)
        if longest is not None and len(value) > longest:
            message = f"Invalid '{path}': string too long. Expected a string with maximum length {longest}."
            raise InvalidRequest("string_above_max_length", message, path)
        if pattern and not re.fullmatch(pattern, value):
            expected = f"Expected a string that matches the pattern '^{pattern}$'."
            raise InvalidRequest("invalid_value", f"Invalid '{path}': string does not match pattern. {expected}", path)

    return check


def metadata(value: Any, path: str) -> None:
    """Sixteen pairs, keys of 64 characters, values of 512."""
    if not isinstance(value, dict):
        raise wrong_type(value, path, "an object")
    if len(value) > 16:
        message = f"Invalid '{path}': too many properties. Expected an object with at most 16 properties."
        raise InvalidRequest("object_above_max_properties", message, path)
    for name, each in value.items():
        text(longest=64)(name, path)
        text(longest=512)(each, f"{path}.{name}")


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(value, path, "a boolean")


def anything(value: Any, path: str) -> None:
    """Any value is valid."""


def number(lowest: float, highest: float, *, whole: bool = False) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise wrong_type(value, path, "an integer" if whole else "a decimal")
        if value < lowest:
            expected = f"Expected a value >= {lowest:g}, but got {value} instead."
            message = f"Invalid '{path}': below the minimum value. {expected}"
            raise InvalidRequest("integer_below_min_value" if whole else "decimal_below_min_value", message, path)
        if value > highest:
            expected = f"Expected a value <= {highest:g}, but got {value} instead."
            message = f"Invalid '{path}': above the maximum value. {expected}"
            raise InvalidRequest("integer_above_max_value" if whole else "decimal_above_max_value", message, path)

    return check


def one_of(*supported: str) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(value, path, "a string")
        if value not in supported:
            raise unsupported(value, path, list(supported))

    return check


def nullable(inner: Check) -> Check:
    return lambda value, path: None if value is None else inner(value, path)


def either(*choices: Check) -> Check:
    """Valid if one of them accepts the value; otherwise the error of the last one."""

    def check(value: Any, path: str) -> None:
        for choice in choices[:-1]:
            try:
                return choice(value, path)
            except InvalidRequest:
                continue
        return choices[-1](value, path)

    return check


def array(inner: Check, *, longest: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(value, path, "an array")
        if longest is not None and len(value) > longest:
            raise InvalidRequest("array_above_max_length", f"Invalid '{path}': array too long.", path)
        for index, element in enumerate(value):
            inner(element, f"{path}[{index}]")

    return check


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with known fields; unknown fields are an error."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(value, path, "an object")
        prefix = f"{path}." if path else ""
        for name, check in self.required.items():
            if name not in value:
                raise missing(prefix + name)
            check(value[name], prefix + name)
        for name, inner in value.items():
            if name in self.required:
                continue
            if name not in self.optional:
                raise InvalidRequest("unknown_parameter", f"Unknown parameter: '{prefix}{name}'.", prefix + name)
            self.optional[name](inner, prefix + name)


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose `tag` field names its shape."""

    shapes: Mapping[str, Check]
    tag: str = "type"

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise wrong_type(value, path, "an object")
        where = f"{path}.{self.tag}" if path else self.tag
        if self.tag not in value:
            raise missing(where)
        kind = value[self.tag]
        if not isinstance(kind, str):
            raise wrong_type(kind, where, "a string")
        if kind not in self.shapes:
            raise unsupported(kind, where, list(self.shapes))
        self.shapes[kind](value, path)
