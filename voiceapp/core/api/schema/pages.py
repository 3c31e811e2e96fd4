"""`/api/schema` for machines and `/api/docs` for people: both for anyone, made once per process."""

from __future__ import annotations

import functools
import hashlib
import json

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import condition, require_safe

from .document import document
from .reading import Reader


@functools.cache
def schema_text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1)


@functools.cache
def page_text() -> str:
    return render_to_string("api_docs.html", {"reference": Reader(document()).reference()})


@functools.cache
def tag_of(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=lambda request: tag_of(schema_text()))
def schema(request: HttpRequest) -> HttpResponse:
    # Open to every origin: tools that read a document by its address are pages too, and there is nothing secret in it.
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}
    return HttpResponse(schema_text(), content_type="application/json", headers=headers)


@require_safe
@condition(etag_func=lambda request: tag_of(page_text()))
def docs(request: HttpRequest) -> HttpResponse:
    return HttpResponse(page_text(), headers={"Cache-Control": "no-cache"})
