"""Fields of our APIs. Those of requests take only the JSON type they name; Django REST framework reads 5 as "5"."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from voiceapp.core.plain_text import validate_line

from .timestamps import iso_z


class TextField(serializers.CharField):
    """A JSON string."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LineField(TextField):
    """A JSON string that people print or read aloud: one line, without characters that cannot be seen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(validate_line)


class TruthField(serializers.BooleanField):
    """`true` or `false`."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class TimestampField(serializers.DateTimeField):
    """Renders `2024-01-01T00:00:00Z`: whole seconds of UTC, as the specs show them."""

    def to_representation(self, value: dt.datetime) -> str:
        return str(iso_z(value))


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "description": "With two decimals."})
class MoneyField(serializers.Field[Decimal, Any, str, Decimal]):
    """Renders an amount as text with two decimals."""

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.2f}"


class ConstantField(serializers.Field[Any, Any, Any, Any]):
    """Renders the same value in every response."""

    def __init__(self, value: str | bool, **options: Any) -> None:
        super().__init__(source="*", **options)
        self.value = value

    def to_representation(self, instance: object) -> str | bool:
        return self.value
