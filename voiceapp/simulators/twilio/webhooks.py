"""Twilio's webhooks: signed forms, with its time-outs and its single retry.

The signature follows Twilio's description; it does not use Twilio's library.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlencode

import aiohttp
from yarl import URL

_TOTAL_S = 15
_CONNECT_S = 5
_MAX_BYTES = 1 << 20


def signature(auth_token: str, url: str, params: Mapping[str, str] | None = None) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL without fragment and the sorted form fields, each name then value."""
    signed = url.partition("#")[0] + "".join(name + value for name, value in sorted((params or {}).items()))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def new_idempotency_token() -> str:
    return str(uuid.uuid4())


class WebhookFailed(Exception):
    """The application could not be reached, or returned an error. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    status: int
    content_type: str
    body: bytes
    took_ms: int

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class WebhookClient:
    """An async context manager; an account has one."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> WebhookClient:
        timeout = aiohttp.ClientTimeout(total=_TOTAL_S, connect=_CONNECT_S)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._session
        await self._session.close()

    async def request(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        method: str = "POST",
        token: str = "",
        has_valid_signature: bool = True,
    ) -> WebhookResponse:
        """Send the signed form (GET: as the query). Raises WebhookFailed if there is no response; any status is one."""
        method = method.upper() or "POST"
        if method == "GET":
            query = urlencode(params)
            url = url.partition("#")[0]
            url, params = f"{url}{'&' if '?' in url else '?'}{query}", {}
        key = self._auth_token if has_valid_signature else self._auth_token[::-1] + "x"
        headers = {
            "X-Twilio-Signature": signature(key, url, params),
            "I-Twilio-Idempotency-Token": token or new_idempotency_token(),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        address = URL(url.partition("#")[0], encoded=True)
        try:
            return await self._attempt(method, address, params, headers)
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError):
            try:
                return await self._attempt(method, address, params, headers)
            except (aiohttp.ClientError, TimeoutError, OSError) as exc:
                raise WebhookFailed(11205, f"HTTP connection failure to {url}: {exc}") from exc
        except TimeoutError as exc:
            raise WebhookFailed(11200, f"HTTP retrieval failure: no response from {url} within {_TOTAL_S} s") from exc
        except (aiohttp.InvalidURL, ValueError) as exc:
            raise WebhookFailed(11100, f"invalid URL {url}: {exc}") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise WebhookFailed(11200, f"HTTP retrieval failure from {url}: {exc}") from exc

    async def _attempt(
        self, method: str, url: URL, params: Mapping[str, str], headers: dict[str, str]
    ) -> WebhookResponse:
        assert self._session, "the client is not open"
        began_s = time.monotonic()
        body = params if method == "POST" else None
        async with self._session.request(method, url, data=body, headers=headers) as response:
            content = await response.content.read(_MAX_BYTES)
            took_ms = round((time.monotonic() - began_s) * 1000)
            return WebhookResponse(response.status, response.content_type.lower(), content, took_ms)
