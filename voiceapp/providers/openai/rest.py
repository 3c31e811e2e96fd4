"""Requests to OpenAI's REST API: limited in time and size, over pooled connections."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from voiceapp.core.kept_texts import KeptText
from voiceapp.core.per_process import per_process
from voiceapp.providers.errors import retry_after_s

from .errors import OpenAIError, OpenAIErrorKind, kind_of, status_text

TIMEOUTS = httpx.Timeout(8, connect=3, pool=3)
# The timeouts above are per read; this limits a response that trickles.
WHOLE_RESPONSE_S = 12
# A job of the outbox has a lease of 30 s.
FILE_RESPONSE_S = 20
MAX_RESPONSE_BYTES = 1024 * 1024
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)
CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def post_json(url: str, body: Mapping[str, object], *, headers: Mapping[str, str]) -> Mapping[str, object]:
    """The JSON object of a 200 response. Raises OpenAIError."""
    return _exchange(url, json.dumps(body).encode(), {**headers, "Content-Type": "application/json"})


def post_file(
    url: str, fields: Mapping[str, str], *, file: tuple[str, bytes, str], headers: Mapping[str, str]
) -> Mapping[str, object]:
    """The same for a form with one file (its name, content and type), which takes longer. Raises OpenAIError."""
    form = httpx.Request("POST", url, data=dict(fields), files={"file": file})
    headers = {**headers, "Content-Type": form.headers["Content-Type"]}
    return _exchange(url, form.read(), headers, timeout_s=FILE_RESPONSE_S)


def post_offer(url: str, offer: str, *, headers: Mapping[str, str]) -> tuple[str, str]:
    """The text of a 201 response to an SDP offer, and its Location. Raises OpenAIError."""
    reply = _reply(url, offer.encode(), {**headers, "Content-Type": "application/sdp"}, status=httpx.codes.CREATED)
    return reply.body.decode(errors="replace"), reply.location


def post_nothing(url: str, *, headers: Mapping[str, str]) -> None:
    """A request without a body, whose 200 response says nothing more. Raises OpenAIError."""
    _reply(url, b"", headers)


@dataclass(frozen=True, slots=True)
class _Reply:
    """`wait_s`: the seconds of a Retry-After."""

    status: int
    body: bytes
    wait_s: float | None
    location: str


def _exchange(
    url: str, content: bytes, headers: Mapping[str, str], *, timeout_s: float = WHOLE_RESPONSE_S
) -> Mapping[str, object]:
    response = _read(_reply(url, content, headers, timeout_s=timeout_s).body)
    if not response:
        message = "returned no JSON object"
        raise OpenAIError(OpenAIErrorKind.MALFORMED_RESPONSE, message, status=httpx.codes.OK)
    return response


def _reply(
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float = WHOLE_RESPONSE_S,
    status: int = httpx.codes.OK,
) -> _Reply:
    """The response, if it has this status. Raises OpenAIError."""
    try:
        reply = _post(url, content, headers, timeout_s)
    except httpx.TimeoutException as exc:
        is_unavailable = isinstance(exc, httpx.ConnectTimeout)
        kind = OpenAIErrorKind.UNAVAILABLE if is_unavailable else OpenAIErrorKind.TIMEOUT
        raise OpenAIError(kind, f"no response in time ({type(exc).__name__})") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise OpenAIError(
            OpenAIErrorKind.UNAVAILABLE, KeptText("no response (%(why)s)", why=type(exc).__name__)
        ) from exc
    if reply.status != status:
        message = f"returned {status_text(reply.status)}{_code_of(_read(reply.body))}"
        raise OpenAIError(kind_of(reply.status), message, status=reply.status, retry_after_s=reply.wait_s)
    return reply


def _post(url: str, content: bytes, headers: Mapping[str, str], timeout_s: float) -> _Reply:
    try:
        return _post_once(url, content, headers, timeout_s)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        # OpenAI has just closed a pooled connection. Minting a secret, transcribing or hanging up twice does no harm;
        # a call whose answer nobody got connects no one.
        return _post_once(url, content, headers, timeout_s)


def _post_once(url: str, content: bytes, headers: Mapping[str, str], timeout_s: float) -> _Reply:
    deadline = time.monotonic() + timeout_s
    body = b""
    timeouts = TIMEOUTS if timeout_s == WHOLE_RESPONSE_S else httpx.Timeout(timeout_s, connect=3, pool=3)
    with _client().stream("POST", url, content=content, headers=headers, timeout=timeouts) as response:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MAX_RESPONSE_BYTES:
                raise OpenAIError(
                    OpenAIErrorKind.MALFORMED_RESPONSE, "the response is too large", status=response.status_code
                )
            if time.monotonic() > deadline:
                raise OpenAIError(OpenAIErrorKind.TIMEOUT, "the response arrives too slowly")
        wait_s = retry_after_s(response.headers.get("Retry-After"))
        return _Reply(response.status_code, body, wait_s, response.headers.get("Location", ""))


def _read(content: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _code_of(response: Mapping[str, object]) -> str:
    """OpenAI's error code. Not its message, which quotes parts of keys."""
    error = response.get("error")
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return f" ({code})" if isinstance(code, str) and CODE.fullmatch(code) else ""


@per_process
def _client() -> httpx.Client:
    """The connections of this process."""
    return httpx.Client(timeout=TIMEOUTS, limits=LIMITS, trust_env=False, follow_redirects=False)
