"""Servers besides OpenAI that mint its client secrets: at an origin that was allowed, with that origin's own key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import httpx

from voiceapp.core.origins import Origin
from voiceapp.providers.errors import retry_after_s
from voiceapp.providers.pinned_http import AddressRefused, NoAnswer, PinnedHttp, TooLarge

from .client import ClientSecret, client_secret_request, read_client_secret
from .errors import OpenAIError, OpenAIErrorKind, kind_of, named

# Whatever path a client names, this one is asked for.
PATH = "/v1/realtime/client_secrets"
WHOLE_ANSWER_S = 8
LARGEST_ANSWER_BYTES = 1024 * 1024

__all__ = ["AddressRefused", "OpenAIEndpoint"]


class OpenAIEndpoint:
    """Never given the server's own key; `may_dial` judges each IP address that the origin's name leads to."""

    def __init__(self, origin: Origin, *, api_key: str, may_dial: Callable[[str], bool]) -> None:
        self._url = httpx.URL(f"{origin}{PATH}")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._may_dial = may_dial

    def create_client_secret(
        self, session: Mapping[str, object], *, expires_after_s: int | None = None
    ) -> ClientSecret:
        """As OpenAIClient's. Raises AddressRefused before anything is dialed, and OpenAIError."""
        body = json.dumps(client_secret_request(session, expires_after_s=expires_after_s)).encode()
        pinned = PinnedHttp(self._may_dial, whole_s=WHOLE_ANSWER_S, largest_body_bytes=LARGEST_ANSWER_BYTES)
        try:
            answer = pinned.post(self._url, body, self._headers)
        except TooLarge as exc:
            raise OpenAIError(OpenAIErrorKind.GARBLED, f"{self._url.host}: the answer is too large") from exc
        except NoAnswer as exc:
            raise OpenAIError(OpenAIErrorKind.AWAY, f"{self._url.host}: no answer ({exc})") from exc
        if answer.status != httpx.codes.OK:
            message = f"{self._url.host}: answered {named(answer.status)}"
            wait_s = retry_after_s(answer.retry_after)
            raise OpenAIError(kind_of(answer.status), message, status=answer.status, retry_after_s=wait_s)
        return read_client_secret(_object(answer.body))


def _object(body: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
