"""JSON of requests: of limited size, without values that a database cannot store, without unknown fields."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, ClassVar, NoReturn

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from voiceapp.core.http.body_limits import JSON_BYTES, KIB

from .errors import INVALID_FIELDS, Problem

DEEPEST = 32
NOT_JSON = Problem(400, message="The body is no valid JSON.", code="invalid")


class RepeatedName(ValueError):
    """An object has a name twice: one of the two values would be lost silently."""


class StrictJSONParser(BaseParser):
    """Raises ParseError (400) for invalid JSON, for a body too large or too deep, and for NUL or lone surrogates."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(JSON_BYTES + 1)
        if len(body) > JSON_BYTES:
            raise ParseError(f"The body is larger than {JSON_BYTES // KIB} KiB.")
        try:
            value = json.loads(
                body, parse_constant=_reject_constant, parse_float=_finite, object_pairs_hook=_without_repetition
            )
        except RepeatedName as exc:
            raise ParseError("A name stands twice in an object.") from exc
        except (ValueError, RecursionError) as exc:
            raise ParseError(NOT_JSON.message) from exc
        _check(value, 0)
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """A request. Unknown fields are errors: a misspelled one would otherwise be ignored.

    `titles` maps a field to the title of the error where it is invalid; the first that is invalid counts.
    """

    titles: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of_body(cls, request: Request) -> dict[str, Any]:
        """The values of the body; 400 where they are invalid."""
        return cls._validated(request.data)

    @classmethod
    def of_query(cls, request: Request) -> dict[str, Any]:
        """The values of the query; 400 where they are invalid, or where a name stands twice."""
        repeated = [name for name, values in request.query_params.lists() if len(values) > 1]
        if repeated:
            raise serializers.ValidationError({name[:80]: ["Give it once."] for name in repeated[:20]})
        return cls._validated(request.query_params.dict())

    @classmethod
    def _validated(cls, data: Any) -> dict[str, Any]:
        serializer = cls(data=data)
        if serializer.is_valid():
            return dict(serializer.validated_data)
        raise cls.invalid(serializer.errors).error()

    @classmethod
    def invalid(cls, fields: Mapping[str, object]) -> Problem:
        title = next((cls.titles[name] for name in cls.titles if name in fields), "")
        return Problem(400, title, INVALID_FIELDS, "invalid", fields, malformed=True)

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name[:80]: ["There is no such field."] for name in unknown[:20]})
        return super().to_internal_value(data)


def _check(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise ParseError("A text contains a character that cannot be kept.")
    if isinstance(value, dict):
        for key, part in value.items():
            _check(key, depth)
            _check(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, depth + 1)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise RepeatedName
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is beyond all numbers")
    return number
