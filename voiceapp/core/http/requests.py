"""ASGI: requests reach the application with their complete body, limited in size and time, with a Content-Length."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings

from .body_limits import KIB, max_body_bytes
from .client_address import address_in_scope, network_of
from .refusal import Message, Receive, RequestRefused, Send, send_refusal

Scope = dict[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
# A body without a byte for this share of its time is given up.
IDLE_SHARE = 1 / 3


class ClientGone(Exception):
    """The connection ended before the body did."""


class BoundedRequests:
    """Reads bodies before the application runs, and adds a Content-Length.

    413 above the route's limit, 408 for a slow body, 415 for a Content-Encoding, 501 for another Transfer-Encoding than
    chunked. Django and its REST framework rely on Content-Length, which a chunked body does not have.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_body(scope["headers"]):
            await self._application(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive)
        except ClientGone:
            return
        except RequestRefused as refused:
            await send_refusal(refused, scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        scope = {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        await self._application(scope, replaying(body, receive), send)


class BusyAddresses:
    """Limits concurrent requests per client address behind our proxies. Health checks and sockets are exempt."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._busy: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not settings.TRUSTED_PROXY_COUNT or scope["path"].startswith("/health"):
            await self._application(scope, receive, send)
            return
        address = network_of(address_in_scope(scope))
        if self._busy[address] >= settings.MAX_CONNECTIONS_PER_ADDRESS:
            message = "Too many concurrent requests from your address. Try again in a second."
            crowded = RequestRefused(HTTPStatus.TOO_MANY_REQUESTS, "crowded", message, retry_after="1")
            await send_refusal(crowded, scope, receive, send, ends=has_body(scope["headers"]))
            return
        self._busy[address] += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._busy[address] -= 1
            if not self._busy[address]:
                del self._busy[address]


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request has a body (RFC 9112, 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")) for name, value in headers
    )


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises RequestRefused and ClientGone."""
    limit = max_body_bytes(scope["path"])
    check_head(scope["headers"], limit)
    parts: list[bytes] = []
    size = 0
    within_s = settings.REQUEST_BODY_TIMEOUT_S
    try:
        async with asyncio.timeout(within_s):
            while True:
                async with asyncio.timeout(within_s * IDLE_SHARE):
                    message = await receive()
                if message["type"] != "http.request":
                    raise ClientGone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise too_large(limit)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError as exc:
        message_ = "The body did not arrive in time. Send the request again."
        raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT, "slow_body", message_) from exc


def check_head(headers: Iterable[tuple[bytes, bytes]], limit: int) -> None:
    """Refuse by the headers what is too large, or what the application would misread."""
    for name, value in headers:
        if name == b"content-length":
            if not value.isdigit():
                raise RequestRefused(HTTPStatus.BAD_REQUEST, "bad_request", "Content-Length is not a number.")
            if len(value) > 18 or int(value) > limit:
                raise too_large(limit)
        elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            message = "Chunked is the only supported Transfer-Encoding."
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED, "transfer_coding", message)
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            message = "Content-Encoding is not supported: send the body uncompressed."
            coded = RequestRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_coding", message)
            coded.headers["accept-encoding"] = "identity"
            raise coded


def too_large(limit: int) -> RequestRefused:
    message = f"The body is limited to {limit // KIB} KiB."
    return RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", message)


def replaying(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then what follows it: the end of the connection."""
    is_read = False

    async def receive_again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
