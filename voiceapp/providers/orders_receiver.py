"""The orders address of an organisation: one signed POST per message (docs/orders-webhook.md)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import time

import httpx
from django.conf import settings

from voiceapp.lib.public_addresses import is_loopback, is_public
from voiceapp.providers.errors import ProviderError

COMPANY = "orders address"
TIMEOUTS = httpx.Timeout(5, connect=3)
# Per read the timeouts above hold; this bounds an answer that drips.
WHOLE_POST_S = 10
# Refusals that may pass: a time-out, a conflict, too early, too many.
WORTH_ANOTHER_TRY = {408, 409, 425, 429}


def signature(secret: str, *, body: bytes, sent_at_s: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`: the time is signed, so that an old post can be refused."""
    digest = hmac.new(secret.encode(), b"%d." % sent_at_s + body, hashlib.sha256).hexdigest()
    return f"t={sent_at_s},v1={digest}"


class OrdersReceiver:
    """Posts to addresses that organisations name, and to public ones only."""

    def __init__(self, *, may_be_local: bool, version: str) -> None:
        self._may_be_local = may_be_local
        self._agent = f"voiceapp/{version}"

    @classmethod
    def from_settings(cls) -> OrdersReceiver:
        return cls(may_be_local=bool(settings.LOCAL_COMPANIES) or settings.DEBUG, version=settings.VERSION)

    def post(self, url: str, *, secret: str, message_id: str, body: bytes) -> None:
        """Return once the receiver has answered 2xx; raises ProviderError, never with a word of its answer."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Voiceapp-Message-Id": message_id,
            "Voiceapp-Signature": signature(secret, body=body, sent_at_s=int(time.time())),
        }
        try:
            status = asyncio.run(asyncio.wait_for(self._post(url, headers, body), WHOLE_POST_S))
        except (httpx.HTTPError, TimeoutError, OSError) as exc:
            raise ProviderError(COMPANY, f"no answer ({type(exc).__name__})") from exc
        if not 200 <= status < 300:
            is_permanent = 300 <= status < 500 and status not in WORTH_ANOTHER_TRY
            raise ProviderError(COMPANY, f"answered {status}", permanent=is_permanent)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        named = _read(url)
        address = await self._checked_address(named)
        if named.scheme != "https" and not is_loopback(address):
            raise ProviderError(COMPANY, "only https addresses are posted to", permanent=True)
        # Dialled by the address that was checked, so that a second look-up cannot lead elsewhere.
        dialled = named.copy_with(host=address)
        async with httpx.AsyncClient(timeout=TIMEOUTS, trust_env=False, follow_redirects=False) as client:
            host = {"Host": named.netloc.decode("ascii")}
            request = client.build_request("POST", dialled, content=body, headers=headers | host)
            request.extensions["sni_hostname"] = named.raw_host.decode("ascii")
            response = await client.send(request, stream=True)
            await response.aclose()
        return response.status_code

    async def _checked_address(self, url: httpx.URL) -> str:
        port = url.port or (443 if url.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
        except UnicodeError as exc:
            raise ProviderError(COMPANY, "the address cannot be read", permanent=True) from exc
        addresses = [str(info[4][0]) for info in found]
        for address in addresses:
            if not (is_public(address) or (self._may_be_local and is_loopback(address))):
                raise ProviderError(COMPANY, "the address is not public", permanent=True)
        return addresses[0]


def _read(url: str) -> httpx.URL:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise ProviderError(COMPANY, "the address cannot be read", permanent=True) from exc
    if read.scheme not in ("http", "https") or not read.host or read.userinfo or (read.port or 0) > 65_535:
        raise ProviderError(COMPANY, "the address is no plain https address", permanent=True)
    return read
