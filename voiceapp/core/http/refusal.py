"""Error responses before the application runs: in the shape of the endpoint, or as a page for a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from voiceapp.core.api.errors import ErrorBody, Problem, shape_at
from voiceapp.core.metrics import edge_refused

from .body_limits import MIB

logger = structlog.get_logger("edge")

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LINGER_S = 1.0
LINGER_BYTES = MIB


class RequestRefused(Exception):
    """The request is not read to its end; `reason` is the metric's label."""

    def __init__(self, status: HTTPStatus, reason: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = headers


async def send_refusal(
    refused: RequestRefused, scope: Mapping[str, Any], receive: Receive, send: Send, *, ends: bool = True
) -> None:
    """Respond; `ends` also closes the connection, because the rest of the body was not read."""
    request_id = uuid.uuid4().hex
    edge_refused.labels(refused.reason).inc()
    logger.info(
        "request refused", reason=refused.reason, status=refused.status, path=scope["path"], request_id=request_id
    )
    content, content_type = _content(refused, scope, request_id)
    headers = {
        "content-type": content_type,
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
        **({"connection": "close"} if ends else {}),
        **{name.replace("_", "-").lower(): value for name, value in refused.headers.items()},
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(refused.status), "headers": encoded})
    await send({"type": "http.response.body", "body": content, "more_body": ends})
    if ends:
        await _linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(receive: Receive) -> None:
    """Read some of the remaining body: a connection closed with unread bytes may lose the response."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while size < LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def _content(refused: RequestRefused, scope: Mapping[str, Any], request_id: str) -> tuple[bytes, str]:
    path = scope["path"]
    accepts = b",".join(value for name, value in scope["headers"] if name == b"accept")
    if path.startswith("/admin/") and b"text/html" in accepts:
        page = {"status": int(refused.status), "title": refused.status.phrase, "next_step": refused.message}
        html = render_to_string("error.html", {"page": page, "request_id": request_id})
        return html.encode(), "text/html; charset=utf-8"
    details = {"requestId": request_id}
    problem = Problem(refused.status, message=refused.message, code=refused.reason, details=details)
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        body = _shape_of(path).render(problem)
    return json.dumps(body).encode(), "application/json"


def _shape_of(path: str) -> type[ErrorBody]:
    try:
        endpoint = getattr(resolve(path).func, "cls", None)
    except Resolver404:
        endpoint = None
    shape: type[ErrorBody] = getattr(endpoint, "error_shape", shape_at(path))
    return shape
