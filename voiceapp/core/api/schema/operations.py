"""What is told of an operation beside what its view, its serializers and its limits say by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers
from rest_framework.views import APIView

from voiceapp.core.api.errors import ErrorShape, Refusal

Serializer = type[serializers.Serializer[Any]]
Keywords = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Area:
    """A chapter of the documentation. Chapters follow each other by `place`."""

    name: str
    words: str
    place: int


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a request or an answer; `schema` is its JSON schema."""

    name: str
    words: str
    is_required: bool = False
    schema: Keywords = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A line for a shell. `$NAME` in a value is a variable of the shell's.

    `keeps` names a variable and the field of the answer whose value it keeps for the samples that follow. `before`
    is a line that prepares it. `waits` lets curl try again where the answer may be 503 for a moment.
    """

    label: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Keywords | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keeps: tuple[str, str] | None = None
    before: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a view.

    `refined` adds keywords of JSON schema to properties of the body. With several `answers`, each request gets one of
    them; `or_body` is another form in which the same may be asked. `refusals` are those beside what every view of the
    kind may say.
    """

    id: str
    area: Area
    summary: str
    words: str = ""
    query: Serializer | None = None
    headers: tuple[Header, ...] = ()
    body: Serializer | None = None
    or_body: Serializer | None = None
    refined: Mapping[str, Keywords] = field(default_factory=dict)
    asked: Mapping[str, Keywords] = field(default_factory=dict)
    status: int = 200
    answers: tuple[Serializer, ...] = ()
    answered: Mapping[str, Keywords] = field(default_factory=dict)
    answer_headers: tuple[Header, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    samples: tuple[Sample, ...] = ()
    credential: str = "key"


@dataclass(frozen=True, slots=True)
class PlainOperation:
    """An operation of a view that is none of Django REST framework's."""

    operation: Operation
    path: str
    method: str
    shape: ErrorShape
    security: Mapping[str, Keywords]
    accepts: Keywords
    answer: Keywords


_described: dict[tuple[type[APIView], str], Operation] = {}
_plain: list[PlainOperation] = []


def describe(view: type[APIView], **operations: Operation) -> None:
    """Tell of a view, by method: `describe(CallView, get=Operation(…))`. The order is that of the documentation."""
    for method, operation in operations.items():
        _described[view, method.upper()] = operation


def describe_plain(plain: PlainOperation) -> None:
    """Tell of a view whose method and address must be named."""
    _plain.append(plain)


def operation_of(view: type[APIView], method: str) -> Operation | None:
    return _described.get((view, method.upper()))


def places() -> Mapping[str, int]:
    """Where each operation stands in the documentation, by its id."""
    told = [*_described.values(), *(plain.operation for plain in _plain)]
    return {one.id: place for place, one in enumerate(sorted(told, key=lambda one: one.area.place))}


def areas() -> list[Area]:
    """The chapters that have something in them, in their order."""
    told = {one.area for one in [*_described.values(), *(plain.operation for plain in _plain)]}
    return sorted(told, key=lambda area: area.place)


def plain_operations() -> list[PlainOperation]:
    return list(_plain)
