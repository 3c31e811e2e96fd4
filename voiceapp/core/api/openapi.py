"""What drf-spectacular cannot read from a view: errors and headers that operations share, and lines for a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from drf_spectacular.drainage import get_override, set_override
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.views import APIView
from structlog.contextvars import bound_contextvars

from voiceapp.core.limits.usage import COUNTERS_UNAVAILABLE, TOO_MANY_REQUESTS
from voiceapp.core.limits.views import LimitedView

from .errors import BROKEN, ErrorBody, InternalError, Problem, VoiceError
from .internal_key import InternalKeyAuthentication
from .json_view import JSONView
from .samples import Sample, code_sample
from .strict_json import NOT_JSON

REQUEST_ID = "0f3c5a7e9b1d4f60"
WRONG_MEDIA_TYPE = Problem(
    415, message='Unsupported media type "text/plain" in request.', code="unsupported_media_type"
)
RETRIED = ("429", "503")
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

Schema = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])


def errors(*problems: Problem) -> dict[int, list[Problem]]:
    """For `responses=`: the problems of one operation by status, beside those that every operation shares."""
    by_status: dict[int, list[Problem]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    return by_status


def any_of(name: str, *shapes: type[serializers.Serializer[Any]]) -> PolymorphicProxySerializer:
    """For `request=` and `responses=`: one of several shapes; a value may be valid in more than one."""
    shape = AnyOf(name, list(shapes), resource_type_field_name=None)
    set_override(shape, "examples", [example for each in shapes for example in get_override(each, "examples", [])])
    return shape


def samples(*lines: Sample) -> dict[str, object]:
    """For `extensions=`: lines for a shell that try the operation."""
    return {"x-codeSamples": list(lines)}


def describes(view: type[APIView]) -> Callable[[View], View]:
    """For a function of Django's: drf-spectacular reads the view in its place."""

    def described(function: View) -> View:
        vars(function).update(cls=view, initkwargs={})  # as a class-based view has them
        return function

    return described


class APISchema(AutoSchema):
    """The schema class of every view."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        lines = [code_sample(each, method=self.method, path=path) for each in operation.get("x-codeSamples", ())]
        shown = [f"{each['label']}:\n\n```sh\n{each['source']}\n```" for each in lines]
        operation["x-codeSamples"] = lines
        operation["description"] = "\n\n".join([*filter(None, [operation.get("description")]), *shown])
        return {name: value for name, value in operation.items() if value}

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        declared: Schema = self.get_response_serializers()  # type: ignore[assignment]  # as `extend_schema` got it
        documented: Schema = {}
        problems: list[Problem] = []
        for status, shape in declared.items():
            if isinstance(shape, list):
                problems += shape
            else:
                documented[str(status)] = self._response(shape, str(status), direction)
        problems += self._shared_problems()
        for code, of_code in sorted(errors(*problems).items()):
            response = self._error_response(code, of_code)
            documented[str(code)] = self._response(response, str(code), direction)
        return documented

    def _response(self, shape: object, status: str, direction: Any) -> Schema:
        response: Schema = self._get_response_for_code(shape, status, direction=direction)  # type: ignore[no-untyped-call]
        return {**response, "description": response["description"] or HTTPStatus(int(status)).phrase}

    def _shared_problems(self) -> Iterator[Problem]:
        """The errors of every operation of its kind."""
        if isinstance(self.view, JSONView):
            if self.method in ("POST", "PATCH"):
                yield from (NOT_JSON, WRONG_MEDIA_TYPE)
            yield BROKEN
        yield from getattr(self.view, "common_problems", ())
        if self.is_limited:
            yield TOO_MANY_REQUESTS
            if self.method != "GET":
                yield COUNTERS_UNAVAILABLE

    @property
    def is_limited(self) -> bool:
        return isinstance(self.view, LimitedView) and self.method in self.view.limits

    def _error_response(self, status: int, problems: list[Problem]) -> OpenApiResponse:
        shape: type[ErrorBody] = getattr(self.view, "error_shape", InternalError)
        distinct = [problem for n, problem in enumerate(problems) if problem not in problems[:n]]
        with bound_contextvars(request_id=REQUEST_ID):
            examples = [
                OpenApiExample(f"error_{n}", shape.render(problem), summary=label_of(shape, problem))
                for n, problem in enumerate(distinct, 1)
            ]
        titles = dict.fromkeys(label_of(shape, problem).rstrip(".") for problem in distinct)
        description = f"{HTTPStatus(status).phrase}: {'; '.join(titles)}."
        return OpenApiResponse(shape.for_status(status), description, examples)

    def _get_response_headers_for_code(self, status_code: str, direction: Any = "response") -> Schema:
        names = (*(LIMIT_HEADERS if self.is_limited else ()), *(("Retry-After",) if status_code in RETRIED else ()))
        shared = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        return super()._get_response_headers_for_code(status_code, direction) | shared


def label_of(shape: type[ErrorBody], problem: Problem) -> str:
    """What distinguishes the problems of one status: the code, the title or the message."""
    if shape is InternalError:
        return problem.shown_code
    return problem.title if shape is VoiceError and problem.title else problem.message


class AnyOf(PolymorphicProxySerializer):
    """Without a discriminator drf-spectacular says `oneOf`, to which a value that fits two shapes is invalid."""


class AnyOfExtension(PolymorphicProxySerializerExtension):  # type: ignore[no-untyped-call]
    target_class = f"{__name__}.AnyOf"
    priority = 0

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        return {"anyOf": super().map_serializer(auto_schema, direction)["oneOf"]}  # type: ignore[no-untyped-call]


class ClosedObject(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Requests take no field that is not named."""

    target_class = "voiceapp.core.api.strict_json.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        schema: Schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False}


class Constant(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "voiceapp.core.api.fields.ConstantField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        value = self.target.value
        return {"type": "boolean" if isinstance(value, bool) else "string", "const": value}


class InternalKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = InternalKeyAuthentication
    name = "internalKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "`INTERNAL_API_KEY`, for our own machines alone."}
