"""The answers that refuse, as components and examples: worded by the code that words them when it happens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from structlog.contextvars import bound_contextvars

from voiceapp.core.api.errors import CODES, FIELDS_REFUSED, SHAPES, ErrorShape, Refusal

REQUEST_ID = "0f3c5a7e9b1d4f60"
NAMES = {ErrorShape.INTERNAL: "Internal", ErrorShape.VOICE: "Voice", ErrorShape.REALTIME_SESSION: "RealtimeSession"}
LIMIT = {"retryAfter": 3600, "limit": 10, "remaining": 0, "reset": 1640995200}
TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
FIELDS = {
    "type": "object",
    "additionalProperties": True,
    "description": "The fields that were wrong, each with its reasons.",
}


def an_object(properties: Mapping[str, object], *, optional: tuple[str, ...] = ()) -> dict[str, object]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


INTERNAL_ERROR = an_object(
    {
        "error": an_object(
            {
                "code": {**TEXT, "description": "For machines; it does not change."},
                "message": {**TEXT, "description": "For people: what to do."},
                "requestId": {**TEXT, "description": "As in the header X-Request-ID and in the server's log."},
                "fields": FIELDS,
            },
            optional=("fields",),
        )
    }
)
VOICE_ERROR = an_object(
    {
        "error": {**TEXT, "description": "The kind of error, in a few words."},
        "message": {**TEXT, "description": "For people: what happened, or what to do."},
        "details": {
            "type": "object",
            "properties": {"fields": FIELDS},
            "additionalProperties": True,
            "description": "Facts about the error; `fields` where single fields were wrong.",
        },
    }
)
REALTIME_SESSION_ERROR = an_object(
    {
        "error_code": {**TEXT, "description": "For machines; it does not change."},
        "message": {**TEXT, "description": "For people: what happened, or what to do."},
    }
)
BODIES: Mapping[str, Mapping[str, object]] = {
    "InternalError": INTERNAL_ERROR,
    "VoiceError": VOICE_ERROR,
    "VoiceUnauthorized": an_object({"error": {"const": "Unauthorized"}}),
    "VoiceTooManyRequests": an_object(
        {
            "error": TEXT,
            "message": TEXT,
            "retryAfter": {**WHOLE, "description": "Seconds."},
            "limit": WHOLE,
            "remaining": WHOLE,
            "reset": {**WHOLE, "description": "When the next window begins, in epoch seconds."},
        }
    ),
    "RealtimeSessionError": REALTIME_SESSION_ERROR,
}
RETRY_AFTER = {"description": "Seconds to wait before the next try.", "schema": WHOLE}
LIMIT_HEADERS: Mapping[str, Mapping[str, object]] = {
    "X-RateLimit-Limit": {"description": "How many requests a window takes.", "schema": WHOLE},
    "X-RateLimit-Remaining": {"description": "How many it still takes.", "schema": WHOLE},
    "X-RateLimit-Reset": {"description": "When the next window begins, in epoch seconds.", "schema": WHOLE},
}


def refused(status: int, title: str, message: str = "", *, code: str = "", **details: object) -> Refusal:
    """A refusal as `ApiError(status, title, message, code=…, details=…)` would be answered."""
    return Refusal(status, code or HTTPStatus(status).name.lower(), message or title, title, {}, details)


def wrong_fields(title: str = "", /, **fields: str) -> Refusal:
    """What a serializer says of fields it does not take."""
    return Refusal(400, "invalid", FIELDS_REFUSED, title, {name: [words] for name, words in fields.items()})


UNREADABLE = Refusal(400, CODES["parse_error"], "The body is no valid JSON.")
TWO_CREDENTIALS = Refusal(400, CODES["parse_error"], "Send one credential: a bearer token or X-API-Key, not both.")
UNAUTHORIZED = Refusal(401, "unauthenticated", "The credential is not valid.")
NO_SCOPE = Refusal(403, "permission_denied", "This key may not do that: it lacks the scope.")
UNKNOWN_ORGANIZATION = Refusal(403, "permission_denied", "Your organization is not known here.")
WRONG_METHOD = Refusal(405, "method_not_allowed", 'Method "PUT" not allowed.')
WRONG_MEDIA = Refusal(415, "unsupported_media_type", 'Unsupported media type "text/plain" in request.')
TOO_OFTEN = Refusal(
    429, "rate_limited", "Only 3 requests are taken at a time. Try again in 42 s.", "Too many requests", {}, LIMIT
)
BROKEN = Refusal(
    500,
    "server_error",
    "Something broke on our side. Try again in a minute. If it stays, report the number below.",
    details={"requestId": REQUEST_ID},
)
NOT_CHECKED = Refusal(
    503, "service_unavailable", "Who you are cannot be checked right now. Try again soon.", "Service Unavailable"
)
NOT_COUNTED = Refusal(
    503,
    "service_unavailable",
    "Requests cannot be counted at the moment. Try again in a few seconds.",
    "Service unavailable",
)


def component_of(shape: ErrorShape, status: int) -> str:
    """The schema of a refusal's body."""
    special = {401: "VoiceUnauthorized", 429: "VoiceTooManyRequests"} if shape is ErrorShape.VOICE else {}
    return special.get(status, f"{NAMES[shape]}Error")


def body_of(shape: ErrorShape, refusal: Refusal) -> Mapping[str, object]:
    with bound_contextvars(request_id=REQUEST_ID):
        return SHAPES[shape](refusal)


def name_of(refusal: Refusal) -> str:
    """What it is called among the examples: the title, else the code or the message, as one word."""
    words = refusal.title or (refusal.message if refusal.status in (400, 403) else refusal.code)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60]


def title_of(shape: ErrorShape, refusal: Refusal) -> str:
    """The words that tell one refusal of a status from another."""
    if shape is ErrorShape.INTERNAL:
        return f"`{refusal.code}`"
    return refusal.title if shape is ErrorShape.VOICE and refusal.title else refusal.message


def responses(shape: ErrorShape, refusals: Iterable[Refusal], *, is_limited: bool) -> dict[str, Any]:
    """The refusals by status, in the shape of their view, each with its example."""
    by_status: dict[int, dict[str, Refusal]] = {}
    for refusal in refusals:
        of_status = by_status.setdefault(refusal.status, {})
        if refusal not in of_status.values():
            name = name_of(refusal)
            of_status[f"{name}-{len(of_status) + 1}" if name in of_status else name] = refusal
    return {
        str(status): {
            "description": description_of(shape, status, list(named.values())),
            **headers_of(status, is_limited=is_limited),
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{component_of(shape, status)}"},
                    "examples": {
                        name: {"summary": title_of(shape, refusal).strip("`"), "value": body_of(shape, refusal)}
                        for name, refusal in named.items()
                    },
                }
            },
        }
        for status, named in sorted(by_status.items())
    }


def description_of(shape: ErrorShape, status: int, refusals: list[Refusal]) -> str:
    titles = dict.fromkeys(title_of(shape, refusal).rstrip(".") for refusal in refusals)
    return f"{HTTPStatus(status).phrase}: {'; '.join(titles)}."


def headers_of(status: int, *, is_limited: bool) -> dict[str, dict[str, object]]:
    headers: dict[str, object] = limit_headers() if is_limited else {}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {"headers": headers} if headers else {}


def limit_headers() -> dict[str, object]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in LIMIT_HEADERS}
