"""Fields that take the JSON type they name alone: Django REST framework would read 5 as "5" and "no" as false."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from voiceapp.core.plain_text import validate_line


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
