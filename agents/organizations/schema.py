"""How the API's schema tells of the credentials that customers may send."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class CustomerCredentials(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped in part
    """One of them is enough; docs/authentication.md says the rest."""

    target_class = "agents.organizations.authentication.CustomerAuthentication"
    name = ["bearer", "apiKey", "clerkCookie", "session"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key (`va_…`) or a Clerk session token."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "__session",
                "description": "Clerk's session cookie; a change needs an Origin that is allowed.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "A signed-in Django session; a change needs the header X-CSRFToken.",
            },
        ]
