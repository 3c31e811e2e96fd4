"""The orders address of an organization: one signed POST per message (docs/orders-webhook.md)."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

import httpx
from django.conf import settings

from voiceapp.core.public_addresses import is_loopback, is_public
from voiceapp.providers.errors import ProviderError, class_of_status, retry_after_s
from voiceapp.providers.pinned_http import AddressRefused, NoAnswer, NotFound, PinnedHttp

COMPANY = "orders address"
WHOLE_POST_S = 10
# Refusals that may pass: a time-out, a conflict, too early, too many.


def signature(secret: str, *, body: bytes, sent_at_s: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.body">`: the time is signed, so that an old post can be refused."""
    digest = hmac.new(secret.encode(), b"%d." % sent_at_s + body, hashlib.sha256).hexdigest()
    return f"t={sent_at_s},v1={digest}"


class OrdersReceiver:
    """Posts to addresses that organizations name, and to public ones only."""

    def __init__(self, *, may_be_local: bool, version: str) -> None:
        self._may_be_local = may_be_local
        self._agent = f"voiceapp/{version}"

    @classmethod
    def from_settings(cls) -> OrdersReceiver:
        return cls(may_be_local=bool(settings.SIMULATORS) or settings.DEBUG, version=settings.VERSION)

    def post(self, url: str, *, secret: str, message_id: str, body: bytes) -> None:
        """Return once the receiver has answered 2xx; raises ProviderError, never with a word of its answer."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Voiceapp-Message-Id": message_id,
            "Voiceapp-Signature": signature(secret, body=body, sent_at_s=int(time.time())),
        }
        named = _read(url)
        pinned = PinnedHttp(may_dial=self._may_dial(named.scheme), whole_s=WHOLE_POST_S)
        try:
            answer = pinned.post(named, body, headers)
        except (NoAnswer, NotFound) as exc:
            raise ProviderError(COMPANY, f"no answer ({exc})") from exc
        except AddressRefused as exc:
            why = str(exc) if named.scheme == "https" else "only https addresses are posted to"
            raise ProviderError(COMPANY, why, permanent=True) from exc
        status = answer.status
        if not 200 <= status < 300:
            wait_s = retry_after_s(answer.retry_after)
            error_class = class_of_status(status, retry_after_s=wait_s)
            raise ProviderError(COMPANY, f"answered {status}", error_class=error_class, retry_after_s=wait_s)

    def _may_dial(self, scheme: str) -> Callable[[str], bool]:
        """Public addresses over https; this machine's own, where that is allowed, over http too."""

        def judge(address: str) -> bool:
            return (scheme == "https" and is_public(address)) or (self._may_be_local and is_loopback(address))

        return judge


def _read(url: str) -> httpx.URL:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise ProviderError(COMPANY, "the address cannot be read", permanent=True) from exc
    if read.scheme not in ("http", "https") or not read.host or read.userinfo or (read.port or 0) > 65_535:
        raise ProviderError(COMPANY, "the address is no plain https address", permanent=True)
    return read
