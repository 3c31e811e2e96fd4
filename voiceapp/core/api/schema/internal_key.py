"""How the schema tells of the key with which our own machines prove themselves."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class InternalKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped in part
    """Registered by being imported."""

    target_class = "voiceapp.core.api.internal_key.InternalKeyAuthentication"
    name = "internalKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "`INTERNAL_API_KEY`, for our own machines alone."}
