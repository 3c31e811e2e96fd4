"""Writes one operation of the OpenAPI document: from the view, its limits and its credentials, and what was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from voiceapp.core.api.errors import ErrorShape, Refusal
from voiceapp.core.api.internal_key import InternalKeyAuthentication
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.limits.views import LimitedView

from . import refusals
from .operations import Header, Operation, Serializer, operation_of
from .samples import shell_line

JSON = "application/json"
Words = dict[str, Any]


class Inspector(AutoSchema):
    """drf-spectacular's own reads serializers and credentials; all else is written here."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Words | None:
        self.path, self.path_regex, self.path_prefix = path, path_regex, path_prefix
        self.method, self.registry = method.upper(), registry
        told = operation_of(type(self.view), method)
        if told is None:
            warn(f"{method} {path} is described nowhere: call describe() in its app's schema module")
            return None
        operation = {
            "operationId": told.id,
            "summary": told.summary,
            "description": told.words,
            "tags": [told.area.name],
            "parameters": [*self.query_parameters(told), *map(header_parameter, told.headers)],
            "requestBody": self.request_body(told),
            "security": self.get_auth(),
            "responses": {
                str(told.status): self.answer(told),
                **refusals.responses(self.shape, self.refusals(told), is_limited=self.is_limited),
            },
            "x-codeSamples": samples_of(told, self.method, path),
        }
        return {key: value for key, value in operation.items() if value}

    @property
    def shape(self) -> ErrorShape:
        shape: ErrorShape = getattr(self.view, "error_shape", ErrorShape.INTERNAL)
        return shape

    @property
    def is_limited(self) -> bool:
        return isinstance(self.view, LimitedView) and self.method in self.view.limits

    def refusals(self, told: Operation) -> Iterator[Refusal]:
        """Those of the operation first, then what every view of the kind may say."""
        yield from told.refusals
        if told.body is not None:
            yield from (refusals.UNREADABLE, refusals.WRONG_MEDIA)
        yield refusals.UNAUTHORIZED
        yield refusals.BROKEN
        if any(isinstance(each, InternalKeyAuthentication) for each in self.view.get_authenticators()):
            return
        yield from (refusals.TWO_CREDENTIALS, refusals.NO_SCOPE, refusals.UNKNOWN_ORGANIZATION, refusals.NOT_CHECKED)
        if self.is_limited:
            yield refusals.TOO_OFTEN
        if self.is_limited and self.method != "GET":
            yield refusals.NOT_COUNTED

    def query_parameters(self, told: Operation) -> list[Words]:
        if told.query is None:
            return []
        schema = self.schema_of(told.query)
        required = schema.get("required", ())
        parameters = []
        for name, keywords in schema["properties"].items():
            words = keywords.pop("description", "")
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    **({"description": words} if words else {}),
                    **({"required": True} if name in required else {}),
                    "schema": {**keywords, **told.refined.get(name, {})},
                }
            )
        return parameters

    def request_body(self, told: Operation) -> Words | None:
        if told.body is None:
            return None
        schema = self.schema_of(told.body)
        for name, keywords in told.refined.items():
            schema["properties"][name] |= keywords
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"{told.id[0].upper()}{told.id[1:]}Body",
            type=ResolvedComponent.SCHEMA,
            schema=schema,
            object=told.id,
        )
        self.registry.register(component)
        schema = component.ref
        if told.or_body is not None:
            other = self.resolve_serializer(told.or_body, "request")
            other.schema.pop("description", None)
            schema = {"anyOf": [schema, other.ref]}
        content = {JSON: {"schema": schema, **examples_of(told.asked)}}
        return {"required": True, "content": content} if component.schema.get("required") else {"content": content}

    def answer(self, told: Operation) -> Words:
        schemas = [self.resolve_serializer(each, "response").ref for each in told.answers]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        headers: Words = {each.name: header_object(each) for each in told.answer_headers}
        if self.is_limited:
            headers |= refusals.limit_headers()
        return {
            "description": "Success.",
            **({"headers": headers} if headers else {}),
            "content": {JSON: {"schema": schema, **examples_of(told.answered)}},
        }

    def schema_of(self, serializer: Serializer) -> Words:
        schema: Words = self._map_serializer(serializer(), "request")
        schema.pop("description", None)  # of the class, for those who read the code
        return schema

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        return schema


def examples_of(examples: Any) -> Words:
    return {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}


def header_object(header: Header) -> Words:
    return {
        "description": header.words,
        **({"required": True} if header.is_required else {}),
        "schema": dict(header.schema),
    }


def header_parameter(header: Header) -> Words:
    return {"name": header.name, "in": "header", **header_object(header)}


def samples_of(told: Operation, method: str, path: str) -> list[Words]:
    return [
        {
            "lang": "Shell",
            "label": sample.label,
            "source": shell_line(sample, method=method, path=path, credential=told.credential),
        }
        for sample in told.samples
    ]
