"""Errors of the APIs: a `Problem` is raised by a view, rendered in the view's shape, and documented by it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from rest_framework import serializers
from rest_framework.exceptions import APIException

from voiceapp.providers.errors import ProviderError

from .fields import ConstantField

INVALID_FIELDS = "Some fields cannot be taken as they are."
UNAVAILABLE_RETRY_S = 5


def retry_after_of(error: ProviderError) -> int:
    """Seconds until a retry is worth it: what the provider names, and never less than our own minimum."""
    return max(UNAVAILABLE_RETRY_S, math.ceil(error.retry_after_s or 0))


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of an API: `raise ROOM_TAKEN.error()`, and `responses=… | errors(ROOM_TAKEN)` in its documentation.

    `title` is the kind of error in a few words, `message` says what to do, `code` is for machines (by default the
    status's name). `fields` maps invalid fields to the reasons; `details` are facts in the names of the API. A
    `malformed` request is not counted by rate limits.
    """

    status: int
    title: str = ""
    message: str = ""
    code: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)
    malformed: bool = False

    def error(
        self, message: str = "", *, details: Mapping[str, object] | None = None, retry_after_s: int | None = None
    ) -> ApiError:
        """The exception to raise; `message` where this occurrence has a better one."""
        problem = replace(self, message=message or self.message or self.title, details=details or self.details)
        return (FormError if self.malformed else ApiError)(problem, retry_after_s=retry_after_s)

    @property
    def shown_code(self) -> str:
        return self.code or HTTPStatus(self.status).name.lower()

    @property
    def shown_title(self) -> str:
        return self.title or HTTPStatus(self.status).phrase

    @property
    def all_details(self) -> Mapping[str, object]:
        return {**({"fields": self.fields} if self.fields else {}), **self.details}

    @property
    def request_id(self) -> str:
        """As in the logs and in `X-Request-ID`."""
        return str(structlog.contextvars.get_contextvars().get("request_id", ""))


class ApiError(APIException):
    """A `Problem` on its way to the client; made by `Problem.error`."""

    def __init__(self, problem: Problem, *, retry_after_s: int | None = None) -> None:
        super().__init__(problem.message, problem.shown_code)
        self.status_code = problem.status
        self.problem = problem
        if retry_after_s is not None:
            self.wait = retry_after_s  # Django REST framework turns it into Retry-After


class FormError(ApiError):
    """The request itself is wrong, whatever the state of things: rate limits do not count it."""


class ErrorBody(serializers.Serializer[Problem]):
    """The shape in which an API renders a problem; a view selects it by `error_shape`."""

    @classmethod
    def for_status(cls, status: int) -> type[serializers.Serializer[Problem]]:
        return cls

    @classmethod
    def render(cls, problem: Problem) -> dict[str, Any]:
        return dict(cls.for_status(problem.status)(problem).data)


class InternalErrorDetail(serializers.Serializer[Problem]):
    code = serializers.CharField(source="shown_code", help_text="For machines; it does not change.")
    message = serializers.CharField(help_text="For people: what to do.")
    requestId = serializers.CharField(
        source="request_id", help_text="As in the header X-Request-ID and in the server's log."
    )
    fields = serializers.DictField(required=False, help_text="The invalid fields, each with its reasons.")  # type: ignore[assignment]  # a name of the API

    def to_representation(self, instance: Problem) -> dict[str, Any]:
        body = super().to_representation(instance)
        return body if instance.fields else {name: value for name, value in body.items() if name != "fields"}


class InternalError(ErrorBody):
    """The internal API, and whatever names no other shape."""

    error = InternalErrorDetail(source="*")


class VoiceError(ErrorBody):
    """The voice API; its 401 and 429 are exactly what its specification shows."""

    error = serializers.CharField(source="shown_title", help_text="The kind of error, in a few words.")
    message = serializers.CharField(help_text="For people: what happened, or what to do.")
    details = serializers.DictField(
        source="all_details", help_text="Facts about the error; `fields` maps invalid fields to the reasons."
    )

    @classmethod
    def for_status(cls, status: int) -> type[serializers.Serializer[Problem]]:
        return {401: VoiceUnauthorized, 429: VoiceTooManyRequests}.get(status, cls)


class VoiceUnauthorized(serializers.Serializer[Problem]):
    error = ConstantField("Unauthorized")


class VoiceTooManyRequests(serializers.Serializer[Problem]):
    error = ConstantField("Too many requests")
    message = ConstantField("Please try again later")
    retryAfter = serializers.IntegerField(source="details.retryAfter", required=False, help_text="Seconds.")
    limit = serializers.IntegerField(source="details.limit", required=False)
    remaining = serializers.IntegerField(source="details.remaining", required=False)
    reset = serializers.IntegerField(
        source="details.reset", required=False, help_text="When the next window begins, in epoch seconds."
    )
    requestId = serializers.CharField(source="details.requestId", required=False)


class RealtimeSessionError(ErrorBody):
    """`/realtime_session`."""

    CODES: ClassVar[Mapping[int, str]] = {
        400: "invalid_request",
        401: "unauthorized",
        403: "forbidden",
        429: "rate_limited",
        500: "provider_error",
        503: "unavailable",
    }
    error_code = serializers.SerializerMethodField(help_text="For machines; it does not change.")
    message = serializers.SerializerMethodField(help_text="For people: what happened, or what to do.")

    def get_error_code(self, problem: Problem) -> str:
        return self.CODES.get(problem.status, problem.shown_code)

    def get_message(self, problem: Problem) -> str:
        if not problem.fields:
            return problem.message
        return f"{problem.message.removesuffix('.')} ({', '.join(problem.fields)})."


UNAUTHENTICATED = Problem(401, message="The credential is not valid.", code="unauthenticated")
BROKEN = Problem(
    500,
    message="Something broke on our side. Try again in a minute. If it stays, report the number below.",
    code="server_error",
    details={"requestId": "0f3c5a7e9b1d4f60"},
)


@contextlib.contextmanager
def raised_as(problems: Mapping[type[Exception], Problem]) -> Iterator[None]:
    """Raise the problem in the place of what a service raises; the service's message stays."""
    try:
        yield
    except tuple(problems) as exc:
        problem = next(problem for kind, problem in problems.items() if isinstance(exc, kind))
        raise problem.error(str(exc)) from exc


def shape_at(path: str) -> type[ErrorBody]:
    """The shape of errors where no endpoint names one: an address of an API that it does not have."""
    return VoiceError if path.startswith("/api/voice/") else InternalError
