"""JSON as our endpoints take it: bounded, without what a database cannot hold, without unknown fields."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from voiceapp.core.http.body_limits import JSON_BYTES, KIB

DEEPEST = 32


class RepeatedName(ValueError):
    """An object has a name twice: one of the two values would be lost in silence."""


class StrictJSONParser(BaseParser):
    """Raises ParseError (400) for what is no JSON, too large, too deep, or has NUL or lone surrogates in a text."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(JSON_BYTES + 1)
        if len(body) > JSON_BYTES:
            raise ParseError(f"The body is larger than {JSON_BYTES // KIB} KiB.")
        try:
            value = json.loads(
                body, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_repetition
            )
        except RepeatedName as exc:
            raise ParseError("A name stands twice in an object.") from exc
        except (ValueError, RecursionError) as exc:
            raise ParseError("The body is no valid JSON.") from exc
        _check(value, 0)
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: a misspelled one would otherwise be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name[:80]: ["There is no such field."] for name in unknown[:20]})
        return super().to_internal_value(data)


def _check(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
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


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is beyond all numbers")
    return number
