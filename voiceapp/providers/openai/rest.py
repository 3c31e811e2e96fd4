"""Requests to OpenAI's REST API: bounded in time and size, over connections that this process keeps."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping

import httpx

from voiceapp.core.per_process import per_process
from voiceapp.providers.errors import retry_after_s

from .errors import OpenAIError, OpenAIErrorKind, kind_of, named

TIMEOUTS = httpx.Timeout(8, connect=3, pool=3)
# Per read the time-outs above hold; this bounds an answer that drips.
WHOLE_ANSWER_S = 12
LARGEST_ANSWER_BYTES = 1024 * 1024
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5)
CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def post_json(url: str, body: Mapping[str, object], *, headers: Mapping[str, str]) -> Mapping[str, object]:
    """The object that was answered with 200. Raises OpenAIError."""
    try:
        status, answer, wait_s = _post(url, json.dumps(body).encode(), {**headers, "Content-Type": "application/json"})
    except httpx.TimeoutException as exc:
        is_away = isinstance(exc, httpx.ConnectTimeout)
        kind = OpenAIErrorKind.AWAY if is_away else OpenAIErrorKind.SLOW
        raise OpenAIError(kind, f"no answer in time ({type(exc).__name__})") from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise OpenAIError(OpenAIErrorKind.AWAY, f"no answer ({type(exc).__name__})") from exc
    read = _read(answer)
    if status != httpx.codes.OK:
        message = f"answered {named(status)}{_code_of(read)}"
        raise OpenAIError(kind_of(status), message, status=status, retry_after_s=wait_s)
    if not read:
        raise OpenAIError(OpenAIErrorKind.GARBLED, "answered no JSON object", status=status)
    return read


def _post(url: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, float | None]:
    try:
        return _post_once(url, content, headers)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        # A kept connection that was closed at the other end just now: minting a secret twice harms nobody.
        return _post_once(url, content, headers)


def _post_once(url: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, float | None]:
    """The status, the body, and the seconds of a Retry-After."""
    deadline = time.monotonic() + WHOLE_ANSWER_S
    body = b""
    with _client().stream("POST", url, content=content, headers=headers) as response:
        for piece in response.iter_bytes():
            body += piece
            if len(body) > LARGEST_ANSWER_BYTES:
                raise OpenAIError(OpenAIErrorKind.GARBLED, "the answer is too large", status=response.status_code)
            if time.monotonic() > deadline:
                raise OpenAIError(OpenAIErrorKind.SLOW, "the answer comes too slowly")
        return response.status_code, body, retry_after_s(response.headers.get("Retry-After"))


def _read(answer: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _code_of(answer: Mapping[str, object]) -> str:
    """OpenAI's own word for it. Not its message, which quotes parts of keys."""
    error = answer.get("error")
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return f" ({code})" if isinstance(code, str) and CODE.fullmatch(code) else ""


@per_process
def _client() -> httpx.Client:
    """The connections of this process."""
    return httpx.Client(timeout=TIMEOUTS, limits=LIMITS, trust_env=False, follow_redirects=False)
