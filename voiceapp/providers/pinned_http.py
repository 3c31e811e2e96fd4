"""Requests to URLs that users configure or providers name: resolve the name, check every address, connect to one of
these.

Uses no proxy from the environment; time and size are limited. Only `download` follows redirects, each checked anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import BinaryIO

import httpx

CONNECT_S = 3
MOST_REDIRECTS = 3
REDIRECTS = {301, 302, 303, 307, 308}


class AddressRefused(Exception):
    """No connection was made; the message is for the log."""


class NameNotFound(AddressRefused):
    """The host name does not resolve."""


class NoResponse(Exception):
    """No response, none in time, or none that is valid HTTP; the message is the kind of failure alone."""


class TooLarge(NoResponse):
    """The body exceeds the limit."""


@dataclass(frozen=True, slots=True)
class Response:
    """The body is empty if the caller did not request it."""

    status: int
    body: bytes
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=httpx.Headers)


@dataclass(frozen=True, slots=True)
class PinnedHttp:
    """`may_connect` decides on each IP address; `whole_s` limits the whole exchange, also a response that trickles."""

    may_connect: Callable[[str], bool]
    whole_s: float
    read_s: float = 5
    max_body_bytes: int = 0
    # If it is not 0: a body that is longer, or takes longer than this, is cut and not refused.
    cut_body_after_s: float = 0

    def post(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Response:
        """The response, whatever its status. Raises AddressRefused or NoResponse. Blocks."""
        return self.send("POST", url, content, headers)

    def send(self, method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Response:
        """As `post`, with any method."""
        try:
            return asyncio.run(asyncio.wait_for(self._send(method, url, content, headers), self.whole_s))
        except (httpx.HTTPError, TimeoutError, OSError) as exc:
            raise NoResponse(type(exc).__name__) from exc

    def download(self, url: httpx.URL, into: BinaryIO, *, is_allowed: Callable[[httpx.URL], bool]) -> Response:
        """Write the body of a 200 response into the file; the Response has none. Raises AddressRefused or NoResponse.

        `is_allowed` decides on the URL and on each to which it redirects. Blocks.
        """
        try:
            return asyncio.run(asyncio.wait_for(self._download(url, into, is_allowed), self.whole_s))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
            raise NoResponse(type(exc).__name__) from exc

    async def _download(self, url: httpx.URL, into: BinaryIO, is_allowed: Callable[[httpx.URL], bool]) -> Response:
        for _ in range(MOST_REDIRECTS + 1):
            if not is_allowed(url):
                raise AddressRefused("the URL is not allowed")
            async with self._opened("GET", url, b"", {}) as response:
                location = response.headers.get("Location", "")
                if response.status_code in REDIRECTS and location:
                    url = url.join(location)
                    continue
                if response.status_code == httpx.codes.OK:
                    await self._write(response, into)
                return Response(response.status_code, b"", response.headers.get("Retry-After"), response.headers)
        raise NoResponse("too many redirects")

    async def _write(self, response: httpx.Response, into: BinaryIO) -> None:
        received = 0
        async for piece in response.aiter_raw():
            received += len(piece)
            if received > self.max_body_bytes:
                raise TooLarge("too large")
            into.write(piece)

    async def _send(self, method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Response:
        async with self._opened(method, url, content, headers) as response:
            body, received = await self._body(response), response.headers
            return Response(response.status_code, body, received.get("Retry-After"), received)

    @contextlib.asynccontextmanager
    async def _opened(
        self, method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """The response, before its body."""
        address = await self._checked_address(url)
        # By address, so that a second lookup cannot lead elsewhere.
        pinned = url.copy_with(host=address)
        timeouts = httpx.Timeout(self.read_s, connect=CONNECT_S)
        trust = public_authorities()
        async with httpx.AsyncClient(timeout=timeouts, trust_env=False, follow_redirects=False, verify=trust) as client:
            # No compression: a few bytes could expand to gigabytes.
            fixed = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
            request = client.build_request(method, pinned, content=content, headers={**headers, **fixed})
            request.extensions["sni_hostname"] = url.raw_host.decode("ascii")
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    async def _start_of_body(self, response: httpx.Response) -> bytes:
        body = b""
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(self.cut_body_after_s):
                async for piece in response.aiter_raw():
                    body += piece
                    if len(body) >= self.max_body_bytes:
                        break
        return body[: self.max_body_bytes]

    async def _body(self, response: httpx.Response) -> bytes:
        if self.cut_body_after_s:
            return await self._start_of_body(response)
        body = b""
        if self.max_body_bytes:
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self.max_body_bytes:
                    raise TooLarge("too large")
        return body

    async def _checked_address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await _resolve(url.raw_host.decode("ascii"), port)
        if not addresses or not all(self.may_connect(address) for address in addresses):
            raise AddressRefused("the address is not public")
        return addresses[0]


async def _resolve(host: str, port: int) -> list[str]:
    # In its own thread: closing the loop waits for its default executor, and a name server may hang.
    thread = ThreadPoolExecutor(1, "lookup")
    lookup = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(thread, lookup)
    except UnicodeError as exc:
        raise AddressRefused("the host name is malformed") from exc
    except socket.gaierror as exc:
        raise NameNotFound("gaierror") from exc
    finally:
        thread.shutdown(wait=False)
    return [str(info[4][0]) for info in found]


@functools.cache
def public_authorities() -> ssl.SSLContext:
    """Loaded once: it takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)
