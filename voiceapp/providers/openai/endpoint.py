"""Other servers that mint OpenAI client secrets: at an allowed origin, with that origin's key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import httpx

from voiceapp.core.web_addresses import Origin
from voiceapp.providers.errors import retry_after_s
from voiceapp.providers.pinned_http import AddressRefused, NoResponse, PinnedHttp, TooLarge

from .client import ClientSecret, client_secret_request, read_client_secret
from .errors import OpenAIError, OpenAIErrorKind, kind_of, status_text

# Used whatever path a client names.
PATH = "/v1/realtime/client_secrets"
WHOLE_RESPONSE_S = 8
MAX_RESPONSE_BYTES = 1024 * 1024

__all__ = ["AddressRefused", "OpenAIEndpoint"]


class OpenAIEndpoint:
    """Never receives our own OpenAI key; `may_connect` decides on each IP address that the origin resolves to."""

    def __init__(self, origin: Origin, *, api_key: str, may_connect: Callable[[str], bool]) -> None:
        self._url = httpx.URL(f"{origin}{PATH}")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._may_connect = may_connect

    def create_client_secret(
        self, session: Mapping[str, object], *, expires_after_s: int | None = None
    ) -> ClientSecret:
        """As OpenAIClient's. Raises AddressRefused before a connection is made, and OpenAIError."""
        body = json.dumps(client_secret_request(session, expires_after_s=expires_after_s)).encode()
        pinned = PinnedHttp(self._may_connect, whole_s=WHOLE_RESPONSE_S, max_body_bytes=MAX_RESPONSE_BYTES)
        try:
            response = pinned.post(self._url, body, self._headers)
        except TooLarge as exc:
            raise OpenAIError(
                OpenAIErrorKind.MALFORMED_RESPONSE, f"{self._url.host}: the response is too large"
            ) from exc
        except NoResponse as exc:
            raise OpenAIError(OpenAIErrorKind.UNAVAILABLE, f"{self._url.host}: no response ({exc})") from exc
        if response.status != httpx.codes.OK:
            message = f"{self._url.host}: returned {status_text(response.status)}"
            wait_s = retry_after_s(response.retry_after)
            raise OpenAIError(kind_of(response.status), message, status=response.status, retry_after_s=wait_s)
        return read_client_secret(_object(response.body))


def _object(body: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
