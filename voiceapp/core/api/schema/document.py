"""The one OpenAPI document of the product: made once per process, for it depends on no request."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Any

from django.utils.module_loading import autodiscover_modules
from drf_spectacular.generators import SchemaGenerator

from . import internal_key, refusals  # noqa: F401 - the key registers itself
from .inspector import JSON, examples_of, samples_of
from .operations import PlainOperation, areas, places, plain_operations

Words = dict[str, Any]


@functools.cache
def document() -> Words:
    """OpenAPI 3.1 as plain dictionaries. Not to be changed by who reads it."""
    schema: Words = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def load_descriptions(endpoints: list[Any]) -> list[Any]:
    """Before the generator looks at the views: every app tells of its own (a preprocessing hook)."""
    autodiscover_modules("schema")
    return endpoints


def complete(result: Words, generator: Any, request: Any, public: bool) -> Words:
    """What no single operation holds, and the order of the documentation (a postprocessing hook)."""
    components = result["components"]
    components.setdefault("schemas", {}).update(refusals.BODIES)
    components["headers"] = {**refusals.LIMIT_HEADERS, "Retry-After": refusals.RETRY_AFTER}
    for plain in plain_operations():
        components.setdefault("securitySchemes", {}).update(plain.security)
        result["paths"].setdefault(plain.path, {})[plain.method.lower()] = plain_operation(plain)
    place = places()
    operations = {
        path: dict(sorted(methods.items(), key=lambda one: place[one[1]["operationId"]]))
        for path, methods in result["paths"].items()
    }
    result["paths"] = dict(
        sorted(operations.items(), key=lambda item: min(place[one["operationId"]] for one in item[1].values()))
    )
    result["components"] = {kind: dict(sorted(named.items())) for kind, named in components.items()}
    result["tags"] = [{"name": area.name, "description": area.words} for area in areas()]
    return result


def plain_operation(plain: PlainOperation) -> Words:
    """An operation whose view is a function of Django's."""
    told = plain.operation
    refused = refusals.responses(plain.shape, told.refusals, is_limited=False)
    return {
        "operationId": told.id,
        "summary": told.summary,
        "description": told.words,
        "tags": [told.area.name],
        "requestBody": {"required": True, "content": dict(plain.accepts)},
        "security": [{name: []} for name in plain.security],
        "responses": {
            str(told.status): {
                "description": HTTPStatus(told.status).phrase,
                "content": {JSON: {"schema": dict(plain.answer), **examples_of(told.answered)}},
            },
            **refused,
        },
        "x-codeSamples": samples_of(told, plain.method, plain.path),
    }
