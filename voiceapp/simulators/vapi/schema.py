"""A small validator that reports everything wrong with a body, as VAPI's validator phrases it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Check = Callable[[Any, str], list[str]]


def anything(value: Any, path: str) -> list[str]:
    return []


def text(*, longest: int | None = None, pattern: str = "") -> Check:
    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, str):
            return [f"{path} must be a string"]
        if longest is not None and len(value) > longest:
            return [f"{path} must be shorter than or equal to {longest} characters"]
        if pattern and not re.fullmatch(pattern, value):
            return [f"{path} must match /^{pattern}$/ regular expression"]
        return []

    return check


def boolean(value: Any, path: str) -> list[str]:
    return [] if isinstance(value, bool) else [f"{path} must be a boolean value"]


def number(lowest: float, highest: float) -> Check:
    def check(value: Any, path: str) -> list[str]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return [f"{path} must be a number conforming to the specified constraints"]
        if value < lowest:
            return [f"{path} must not be less than {lowest:g}"]
        return [f"{path} must not be greater than {highest:g}"] if value > highest else []

    return check


def one_of(*choices: str) -> Check:
    def check(value: Any, path: str) -> list[str]:
        listed = ", ".join(choices)
        return [] if value in choices else [f"{path} must be one of the following values: {listed}"]

    return check


def uuid(value: Any, path: str) -> list[str]:
    try:
        UUID(value)
    except (ValueError, TypeError, AttributeError):
        return [f"{path} must be a UUID"]
    return []


def an_object(value: Any, path: str) -> list[str]:
    return [] if isinstance(value, dict) else [f"{path} must be an object"]


def array(inner: Check) -> Check:
    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{path} must be an array"]
        return [problem for index, each in enumerate(value) for problem in inner(each, f"{path}.{index}")]

    return check


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with known fields; a null stands for a missing field."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    is_open: bool = False  # whether unknown fields are accepted

    def __call__(self, value: Any, path: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{path} must be an object" if path else "Request body must be a JSON object"]
        prefix = f"{path}." if path else ""
        problems: list[str] = []
        for name, check in {**self.optional, **self.required}.items():
            if value.get(name) is not None:
                problems += check(value[name], prefix + name)
            elif name in self.required:
                problems += check(None, prefix + name) or [f"{prefix}{name} should not be null or undefined"]
        unknown = [] if self.is_open else [name for name in value if name not in {*self.required, *self.optional}]
        where = f"{path}." if path else ""
        return problems + [f"{where}property {name} should not exist" for name in unknown]
