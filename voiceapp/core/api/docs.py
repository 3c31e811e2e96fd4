"""The OpenAPI document: `/api/schema` for machines, `/api/docs` for people, docs/api.md for the repository."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, conditional_page, require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView

Schema = dict[str, Any]
HEAD = """\
# The API

Generated from the OpenAPI document by `python manage.py write_api_docs`; a test fails when it is stale. Fields, choices
and examples are at `/api/docs`; `/api/schema` is the document for machines (OpenAPI 3.1).
"""
METHODS = ("post", "get", "patch", "delete")
IN_INTRODUCTION = ("401", "415", "429")
# In the place of the first lines of the introduction: these work against `make run` without any change.
VARIABLES = """\
BASE=http://127.0.0.1:8080
CREATED=$(.venv/bin/python manage.py create_api_key bella-napoli --name mine --json)
KEY=$(sed 's/.*"key": "\\([^"]*\\)".*/\\1/' <<< "$CREATED")
ORG=$(sed 's/.*"organization_id": "\\([^"]*\\)".*/\\1/' <<< "$CREATED")
INTERNAL_API_KEY=$(sed -n 's/^INTERNAL_API_KEY=//p' .env)
"""


@functools.cache
def document() -> Schema:
    """OpenAPI 3.1 as plain dictionaries, generated once per process. Not to be changed by its readers."""
    schema: Schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@functools.cache
def _document_text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1)


@functools.cache
def _etag() -> str:
    return f'"{hashlib.sha256(_document_text().encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=lambda request: _etag())
def schema(request: HttpRequest) -> HttpResponse:
    # Open to every origin: tools that read a document by its address are pages too, and it holds no secret.
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
    return HttpResponse(_document_text(), content_type="application/json", headers=headers)


@require_safe
@conditional_page
def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI. Its script holds the visitor's CSRF token, so browsers keep the page alone."""
    response: HttpResponse = _swagger_ui(request)
    if "script" not in request.GET:
        response["Cache-Control"] = "no-cache"
    return response


_swagger_ui = SpectacularSwaggerSplitView.as_view(url_name="api-schema")


def api_docs(document: Schema) -> str:
    """docs/api.md."""
    return "\n".join(_markdown(document))


def _markdown(document: Schema) -> Iterator[str]:
    operations = [
        (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in sorted(methods.items(), key=lambda item: METHODS.index(item[0]))
    ]
    yield HEAD
    yield re.sub(r"(?<=```sh\n).*?(?=```)", lambda _: VARIABLES, document["info"]["description"], count=1, flags=re.S)
    for tag in document["tags"]:
        yield f"\n## {tag['name']}\n\n{tag['description']}"
        for path, method, operation in operations:
            if tag["name"] in operation["tags"]:
                yield f"\n### {operation['summary']}\n\n`{method} {path}`\n\n{operation['description']}\n"
                yield from _names(document, operation)
                yield from _errors(operation)
    yield ""


def _names(document: Schema, operation: Schema) -> Iterator[str]:
    """Parameters and fields by name alone."""
    required = {each["name"] for each in operation.get("parameters", ()) if each.get("required")}
    if parameters := [each["name"] for each in operation.get("parameters", ())]:
        yield f"Parameters: {_listed(parameters, required)}.\n"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = _followed(document, content["schema"])
        for shape in (_followed(document, each) for each in schema.get("anyOf", [schema])):
            yield f"Body: {_listed(shape['properties'], shape.get('required', ()))}.\n"


def _followed(document: Schema, schema: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def _listed(names: Iterable[str], required: Collection[str]) -> str:
    return ", ".join(f"`{name}`{' (required)' if name in required else ''}" for name in names)


def _errors(operation: Schema) -> Iterator[str]:
    yield "Errors:\n"
    for status, response in operation["responses"].items():
        if int(status) >= 400 and status not in IN_INTRODUCTION:
            yield f"- {status} {response['description']}"
