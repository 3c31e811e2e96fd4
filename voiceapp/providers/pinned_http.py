"""Posts to addresses that somebody else named: looked up once, every address found checked, that very one dialed.

No redirect is followed and no proxy of the environment is asked; time and size are bounded.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

CONNECT_S = 3


class AddressRefused(Exception):
    """Nothing was dialed; the message says why, for the log."""


class NotFound(AddressRefused):
    """The name leads nowhere."""


class NoAnswer(Exception):
    """None, none in time, or none that HTTP knows; the message names the kind of failure alone."""


class TooLarge(NoAnswer):
    """More than was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body is empty where none was wanted."""

    status: int
    body: bytes
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class PinnedHttp:
    """`may_dial` judges each IP address; `whole_s` bounds everything, also an answer that drips."""

    may_dial: Callable[[str], bool]
    whole_s: float
    read_s: float = 5
    largest_body_bytes: int = 0

    def post(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Whatever was answered, with the status as it is. Raises AddressRefused or NoAnswer. Blocks."""
        try:
            return asyncio.run(asyncio.wait_for(self._post(url, content, headers), self.whole_s))
        except (httpx.HTTPError, TimeoutError, OSError) as exc:
            raise NoAnswer(type(exc).__name__) from exc

    async def _post(self, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Answer:
        address = await self._checked_address(url)
        # Dialed by the address that was checked, so that a second look-up cannot lead elsewhere.
        dialed = url.copy_with(host=address)
        timeouts = httpx.Timeout(self.read_s, connect=CONNECT_S)
        trust = public_authorities()
        async with httpx.AsyncClient(timeout=timeouts, trust_env=False, follow_redirects=False, verify=trust) as client:
            # Nothing compressed: a few bytes could stand for gigabytes.
            fixed = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
            request = client.build_request("POST", dialed, content=content, headers={**headers, **fixed})
            request.extensions["sni_hostname"] = url.raw_host.decode("ascii")
            response = await client.send(request, stream=True)
            try:
                return Answer(response.status_code, await self._body(response), response.headers.get("Retry-After"))
            finally:
                await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        body = b""
        if self.largest_body_bytes:
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self.largest_body_bytes:
                    raise TooLarge("too large")
        return body

    async def _checked_address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await _looked_up(url.raw_host.decode("ascii"), port)
        if not addresses or not all(self.may_dial(address) for address in addresses):
            raise AddressRefused("the address is not public")
        return addresses[0]


async def _looked_up(host: str, port: int) -> list[str]:
    # A thread of its own: a name server that hangs must not hold the loop's end, as the loop's own threads would.
    thread = ThreadPoolExecutor(1, "look-up")
    look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(thread, look_up)
    except UnicodeError as exc:
        raise AddressRefused("the address cannot be read") from exc
    except socket.gaierror as exc:
        raise NotFound("gaierror") from exc
    finally:
        thread.shutdown(wait=False)
    return [str(info[4][0]) for info in found]


@functools.cache
def public_authorities() -> ssl.SSLContext:
    """Read once: it takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)
