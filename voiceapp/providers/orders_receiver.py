"""An organization's webhooks: one signed POST per message (docs/reference/orders-webhook.md)."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

import httpx
from django.conf import settings

from voiceapp.core.web_addresses import is_loopback, is_public
from voiceapp.providers.errors import ProviderError, retry_after_s, retry_class_of
from voiceapp.providers.pinned_http import AddressRefused, NameNotFound, NoResponse, PinnedHttp

PROVIDER = "order webhook"
WHOLE_POST_S = 10


def signature(secret: str, *, body: bytes, sent_at_s: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`: with the time, so that receivers can reject replays."""
    digest = hmac.new(secret.encode(), b"%d." % sent_at_s + body, hashlib.sha256).hexdigest()
    return f"t={sent_at_s},v1={digest}"


class OrdersReceiver:
    """Posts to URLs that organizations configure, and to public addresses only."""

    def __init__(self, *, may_be_local: bool, version: str, name: str = PROVIDER) -> None:
        self._may_be_local = may_be_local
        self._name = name
        self._agent = f"voiceapp/{version}"

    @classmethod
    def from_settings(cls, *, name: str = PROVIDER) -> OrdersReceiver:
        """`name` is how its errors call the receiver."""
        return cls(may_be_local=bool(settings.SIMULATORS) or settings.DEBUG, version=settings.VERSION, name=name)

    def post(self, url: str, *, secret: str, message_id: str, body: bytes) -> None:
        """Return after a 2xx response; raises ProviderError, which never quotes the response."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Voiceapp-Message-Id": message_id,
            "Voiceapp-Signature": signature(secret, body=body, sent_at_s=int(time.time())),
        }
        named = self._read(url)
        pinned = PinnedHttp(may_connect=self._may_connect(named.scheme), whole_s=WHOLE_POST_S)
        try:
            response = pinned.post(named, body, headers)
        except (NoResponse, NameNotFound) as exc:
            raise ProviderError(self._name, f"no response ({exc})") from exc
        except AddressRefused as exc:
            why = str(exc) if named.scheme == "https" else "the URL is not https"
            raise ProviderError(self._name, why, permanent=True) from exc
        status = response.status
        if not 200 <= status < 300:
            wait_s = retry_after_s(response.retry_after)
            retry_class = retry_class_of(status, retry_after_s=wait_s)
            raise ProviderError(self._name, f"returned {status}", retry_class=retry_class, retry_after_s=wait_s)

    def _may_connect(self, scheme: str) -> Callable[[str], bool]:
        """Public addresses over https; loopback addresses, if allowed, over http too."""

        def judge(address: str) -> bool:
            return (scheme == "https" and is_public(address)) or (self._may_be_local and is_loopback(address))

        return judge

    def _read(self, url: str) -> httpx.URL:
        try:
            read = httpx.URL(url)
        except httpx.InvalidURL as exc:
            raise ProviderError(self._name, "the URL is malformed", permanent=True) from exc
        if read.scheme not in ("http", "https") or not read.host or read.userinfo or (read.port or 0) > 65_535:
            raise ProviderError(self._name, "the URL is not a plain https URL", permanent=True)
        return read
