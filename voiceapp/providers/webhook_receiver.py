"""An organization's webhook endpoint: one signed POST per attempt (docs/reference/webhooks.md)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from django.conf import settings

from voiceapp.core.kept_texts import KeptText
from voiceapp.core.web_addresses import is_loopback, is_public, read_origin
from voiceapp.providers.errors import ProviderError, retry_after_s, retry_class_of
from voiceapp.providers.pinned_http import AddressRefused, NameNotFound, NoResponse, PinnedHttp, Response
from voiceapp.providers.webhook_signature import signature_header

PROVIDER = "webhook endpoint"
WHOLE_POST_S = 10
# Of a response's body, for the log.
KEPT_BODY_BYTES = 4096
CUT_BODY_AFTER_S = 2
KEPT_HEADER_CHARACTERS = 200
# Of a response's headers, for the log: what explains a failure. Cookies and tokens are not kept.
KEPT_HEADERS = ("content-type", "content-length", "date", "location", "retry-after", "server", "x-request-id")
# Standard Webhooks: this receiver wants no more webhooks.
GONE = 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was sent and what came back. `fault` is None after a 2xx response; `status` is None without a response."""

    request_headers: Mapping[str, str]
    duration_ms: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    fault: ProviderError | None = None

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


class WebhookReceiver:
    """Posts to URLs that organizations configure, and to public addresses only."""

    def __init__(self, *, may_be_local: bool, version: str) -> None:
        self._may_be_local = may_be_local
        self._agent = f"voiceapp/{version}"

    @classmethod
    def from_settings(cls) -> WebhookReceiver:
        return cls(may_be_local=bool(settings.SIMULATORS) or settings.DEBUG, version=settings.VERSION)

    def post(self, url: str, *, secrets: Sequence[str], webhook_id: str, body: bytes) -> Attempt:
        """One attempt, signed with each secret. Whatever happens is in the Attempt; its fault quotes no response."""
        began, sent_at_s = time.monotonic(), int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": self._agent,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(sent_at_s),
        }
        signature = signature_header(secrets, webhook_id=webhook_id, sent_at_s=sent_at_s, body=body)
        response, fault = None, None
        try:
            response = self._send(url, body, {**headers, "webhook-signature": signature})
            fault = _fault_of(response)
        except ProviderError as exc:
            fault = exc
        return Attempt(
            headers,
            duration_ms=round((time.monotonic() - began) * 1000),
            status=response.status if response else None,
            headers=_kept_headers(response) if response else {},
            body=_kept_text(response.body) if response else "",
            fault=fault,
        )

    def check(self, url: str) -> None:
        """Whether the address could be posted to at all, without resolving its name. Raises ProviderError."""
        try:
            origin = read_origin(url)
        except ValueError as exc:
            raise ProviderError(PROVIDER, KeptText("the URL is malformed"), permanent=True) from exc
        if origin.is_this_machine and self._may_be_local:
            return
        if origin.scheme != "https":
            raise ProviderError(PROVIDER, KeptText("the URL is not https"), permanent=True)
        if "." not in origin.host or _is_internal(origin.host):
            raise ProviderError(PROVIDER, KeptText("the address is not public"), permanent=True)

    def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        named = self._read(url)
        pinned = PinnedHttp(
            may_connect=self._may_connect(named.scheme),
            whole_s=WHOLE_POST_S,
            max_body_bytes=KEPT_BODY_BYTES,
            cut_body_after_s=CUT_BODY_AFTER_S,
        )
        try:
            return pinned.post(named, body, headers)
        except (NoResponse, NameNotFound) as exc:
            raise ProviderError(PROVIDER, KeptText("no response (%(why)s)", why=exc)) from exc
        except AddressRefused as exc:
            why = str(exc) if named.scheme == "https" else KeptText("the URL is not https")
            raise ProviderError(PROVIDER, why, permanent=True) from exc

    def _may_connect(self, scheme: str) -> Callable[[str], bool]:
        """Public addresses over https; loopback addresses, if allowed, over http too."""

        def judge(address: str) -> bool:
            return (scheme == "https" and is_public(address)) or (self._may_be_local and is_loopback(address))

        return judge

    def _read(self, url: str) -> httpx.URL:
        try:
            read = httpx.URL(url)
        except httpx.InvalidURL as exc:
            raise ProviderError(PROVIDER, KeptText("the URL is malformed"), permanent=True) from exc
        if read.scheme not in ("http", "https") or not read.host or read.userinfo or (read.port or 0) > 65_535:
            raise ProviderError(PROVIDER, KeptText("the URL is not a plain https URL"), permanent=True)
        return read


def _fault_of(response: Response) -> ProviderError | None:
    status = response.status
    if 200 <= status < 300:
        return None
    wait_s = retry_after_s(response.retry_after)
    retry_class = retry_class_of(status, retry_after_s=wait_s)
    return ProviderError(
        PROVIDER, KeptText("returned %(status)d", status=status), retry_class=retry_class, retry_after_s=wait_s
    )


def _kept_headers(response: Response) -> dict[str, str]:
    found = ((name, response.headers.get(name)) for name in KEPT_HEADERS)
    return {name: _kept_text(value.encode())[:KEPT_HEADER_CHARACTERS] for name, value in found if value}


def _kept_text(body: bytes) -> str:
    """As text that every database can keep."""
    return body.decode("utf-8", "replace").replace("\x00", "�")


def _is_internal(host: str) -> bool:
    """Whether the host is an IP address that is not public. What a name resolves to is checked at each attempt."""
    try:
        return not is_public(host)
    except ValueError:
        return False
