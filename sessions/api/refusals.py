"""400 with the title that names what was wrong, where the voice API's documentation has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from voiceapp.api.errors import FIELDS_REFUSED, FormError


def checked(serializer: serializers.Serializer[Any], *, titles: Mapping[str, str]) -> dict[str, Any]:
    """The values; 400 for what cannot be taken. `titles` by field: a title of its own for the first that is wrong."""
    if serializer.is_valid():
        return dict(serializer.validated_data)
    wrong = serializer.errors
    title = next((titles[name] for name in titles if name in wrong), "Bad Request")
    raise FormError(title, FIELDS_REFUSED, details={"fields": wrong})
