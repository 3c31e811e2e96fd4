"""Requests to VAPI's REST API: limited in time and size."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import retry_after_s
from voiceapp.providers.pinned_http import public_authorities

from .errors import VapiError, VapiErrorKind, error_of

TIMEOUTS = httpx.Timeout(5, connect=2, pool=2)
# The timeouts above are per read; this limits a response that trickles.
WHOLE_RESPONSE_S = 8
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60)
LONGEST_QUOTE = 160


async def request(
    method: str,
    url: str,
    body: Mapping[str, object] | None = None,
    *,
    headers: Mapping[str, str],
    is_kept: bool = True,
) -> object:
    """The JSON of a response with 2xx, None without a body. Raises VapiError. Connections are kept by the loop.

    `is_kept`: the connection may be one that VAPI has just closed, so that the request is sent once more.
    """
    try:
        async with asyncio.timeout(WHOLE_RESPONSE_S):
            try:
                status, content, wait_s = await _send(_client(), method, url, body, headers)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # On a new connection VAPI may have carried it out: an assistant would be created twice.
                if not is_kept:
                    raise
                # A call without a connection costs nothing.
                status, content, wait_s = await _send(_client(), method, url, body, headers)
    except TimeoutError as exc:
        raise VapiError(VapiErrorKind.TIMEOUT, "the response arrives too slowly") from exc
    except httpx.ConnectTimeout as exc:
        raise VapiError(VapiErrorKind.UNAVAILABLE, "no connection in time") from exc
    except httpx.TimeoutException as exc:
        raise VapiError(VapiErrorKind.TIMEOUT, f"no response in time ({type(exc).__name__})") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise VapiError(VapiErrorKind.UNAVAILABLE, KeptText("no response (%(why)s)", why=type(exc).__name__)) from exc
    read = _read(content)
    if not 200 <= status < 300:
        raise error_of(status, f"returned {_status_text(status)}{_quote(status, read)}", retry_after_s=wait_s)
    if content and read is None:
        raise VapiError(VapiErrorKind.MALFORMED_RESPONSE, "returned no JSON", status=status)
    return read


def request_now(
    method: str, url: str, body: Mapping[str, object] | None = None, *, headers: Mapping[str, str]
) -> object:
    """The same, for threads without an event loop. Blocks."""
    return asyncio.run(_request_once(method, url, body, headers))


async def _request_once(method: str, url: str, body: Mapping[str, object] | None, headers: Mapping[str, str]) -> object:
    try:
        return await request(method, url, body, headers=headers, is_kept=False)
    finally:
        await _close()


async def _send(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    body: Mapping[str, object] | None,
    headers: Mapping[str, str],
) -> tuple[int, bytes, float | None]:
    """The status, the body, and the seconds of a Retry-After."""
    content = b""
    async with client.stream(method, url, json=body, headers=dict(headers)) as response:
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_RESPONSE_BYTES:
                raise VapiError(
                    VapiErrorKind.MALFORMED_RESPONSE, "the response is too large", status=response.status_code
                )
        return response.status_code, content, retry_after_s(response.headers.get("Retry-After"))


def _read(content: bytes) -> object:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None


def _quote(status: int, read: object) -> str:
    """VAPI's own message, such as which property it does not accept; not about keys, parts of which it may quote."""
    reasons = read.get("message") if isinstance(read, dict) else None
    if status in (401, 403) or not reasons:
        return ""
    text = "; ".join(map(str, reasons)) if isinstance(reasons, list) else str(reasons)
    return f": {''.join(sign if sign.isprintable() else ' ' for sign in text)[:LONGEST_QUOTE]}"


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


class _Kept(threading.local):
    """The client of this thread's event loop: connections belong to the loop that made them."""

    loop: asyncio.AbstractEventLoop | None = None
    client: httpx.AsyncClient | None = None
    keeper: asyncio.Task[None] | None = None


_kept = _Kept()


def _client() -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    if _kept.client is None or _kept.loop is not loop:
        _kept.loop = loop
        _kept.client = httpx.AsyncClient(
            timeout=TIMEOUTS, limits=LIMITS, trust_env=False, follow_redirects=False, verify=public_authorities()
        )
        _kept.keeper = loop.create_task(_close_at_the_end(_kept.client), name="vapi connections")
    return _kept.client


async def _close_at_the_end(client: httpx.AsyncClient) -> None:
    """A loop that ends cancels its tasks, and cannot be closed before its connections are."""
    try:
        await asyncio.Event().wait()
    finally:
        await client.aclose()


async def _close() -> None:
    keeper, _kept.client, _kept.loop, _kept.keeper = _kept.keeper, None, None, None
    if keeper is not None:
        keeper.cancel()
        await asyncio.wait({keeper})
