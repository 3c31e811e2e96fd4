"""The operations that take JSON, from the resolver: a new endpoint is among them by itself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, get_resolver

from voiceapp.core.api.json_view import JSONView
from voiceapp.core.api.strict_json import StrictJSONParser

# The organization of those tests that walk all operations, where a path names one.
ORGANIZATION = "harbour"


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pattern in patterns:
        path = (prefix + str(pattern.pattern)).replace("<slug:organization>", ORGANIZATION)
        if isinstance(pattern, URLResolver):
            found += _walk(pattern.url_patterns, path)
        elif _takes_json(view := getattr(pattern.callback, "cls", object)):
            open_to = getattr(view, "http_method_names", ())
            methods = [each for each in ("POST", "PATCH", "PUT") if each.lower() in open_to]
            found += [(method, path) for method in methods if hasattr(view, method.lower())]
    return found


def _takes_json(view: type) -> bool:
    """An SDP offer is none."""
    return issubclass(view, JSONView) and StrictJSONParser in view.parser_classes


JSON_OPERATIONS = _walk(get_resolver().url_patterns)
