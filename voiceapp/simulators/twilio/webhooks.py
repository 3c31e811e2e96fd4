"""Twilio's requests to the application: signed forms, with its time-outs and its one retry."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from voiceapp.simulators.twilio.identifiers import new_idempotency_token
from voiceapp.simulators.twilio.signature import signature

_TOTAL_S = 15
_CONNECT_S = 5
_MAX_BYTES = 1 << 20


class WebhookFailed(Exception):
    """The application could not be reached, or answered badly. `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes
    took_ms: int

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Webhooks:
    """An async context manager: the one HTTP client of a carrier."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Webhooks:
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
        is_signed_right: bool = True,
    ) -> Answer:
        """Send the form (GET: as the query), signed. Raise WebhookFailed if there is no answer; any status is one."""
        method = method.upper() or "POST"
        if method == "GET":
            query = urlencode(params)
            url = url.partition("#")[0]
            url, params = f"{url}{'&' if '?' in url else '?'}{query}", {}
        key = self._auth_token if is_signed_right else self._auth_token[::-1] + "x"
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
            raise WebhookFailed(11200, f"HTTP retrieval failure: no answer from {url} in {_TOTAL_S} s") from exc
        except (aiohttp.InvalidURL, ValueError) as exc:
            raise WebhookFailed(11100, f"invalid URL {url}: {exc}") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise WebhookFailed(11200, f"HTTP retrieval failure from {url}: {exc}") from exc

    async def _attempt(self, method: str, url: URL, params: Mapping[str, str], headers: dict[str, str]) -> Answer:
        assert self._session, "the webhooks' client is not open"
        began_s = time.monotonic()
        body = params if method == "POST" else None
        async with self._session.request(method, url, data=body, headers=headers) as response:
            content = await response.content.read(_MAX_BYTES)
            took_ms = round((time.monotonic() - began_s) * 1000)
            return Answer(response.status, response.content_type.lower(), content, took_ms)
