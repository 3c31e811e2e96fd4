"""The caldav library over our own connections: to public addresses only, bounded in time and size.

The library would follow redirects anywhere, use proxies of the environment, read without end, and log what it reads.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from caldav.davclient import DAVClient
from caldav.response import DAVResponse
from lxml import etree

from voiceapp.core.web_addresses import Origin, is_loopback, is_public, read_origin
from voiceapp.providers.errors import retry_after_s
from voiceapp.providers.pinned_http import AddressRefused, NameNotFound, NoResponse, PinnedHttp, Response, TooLarge

from .errors import CalendarError, Trouble, error_of_status

# Its lines quote events; what matters of them is in our errors. The second asks for its own level.
for name in ("caldav", "caldav.response"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_REDIRECTS = 3
REDIRECTS = {301, 302, 307, 308}
# A redirect of what changes something is a fault; finding the calendar is where servers redirect.
FOLLOWS_REDIRECTS = {"PROPFIND", "OPTIONS"}
READS_XML = {"PROPFIND", "REPORT"}
MULTISTATUS = "{DAV:}multistatus"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Sent as HTTP Basic, or Digest where the server wants that; over https only (loopback excepted)."""

    username: str
    password: str

    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def digest(self, challenge: str, method: str, url: httpx.URL) -> str:
        """RFC 7616. Raises CalendarError for a challenge that is none."""
        flow = httpx.DigestAuth(self.username, self.password).auth_flow(httpx.Request(method, url))
        try:
            refused = httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=next(flow))
            return flow.send(refused).headers["Authorization"]
        except (StopIteration, KeyError, httpx.ProtocolError, NotImplementedError) as exc:
            raise CalendarError(Trouble.UNAUTHORIZED, "a way to sign in that is not supported", status=401) from exc

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class _HttpResponse:
    """What `DAVResponse` reads of an HTTP response."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    reason: str = ""

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


class PinnedDavClient(DAVClient):
    """Every request passes `request`; all of them together take `whole_s` at most."""

    def __init__(self, url: str, credentials: Credentials, *, may_be_local: bool, agent: str, whole_s: float) -> None:
        self._home = _origin(url)
        super().__init__(url=url, enable_rfc6764=False, headers={"User-Agent": agent})
        self._credentials = credentials
        self._may_be_local = may_be_local
        # Where the last request arrived, after redirects: addresses in its response are relative to it.
        self.arrived_at = httpx.URL(url)
        # What it brought, as it came.
        self.body = b""
        self._ends_at = time.monotonic() + whole_s

    def request(
        self,
        url: Any,
        method: str = "GET",
        body: Any = "",
        headers: Mapping[str, str] | None = None,
        rate_limit_time_slept: float = 0,
    ) -> DAVResponse:
        """The response of a status below 400. Raises CalendarError."""
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        sent = {**dict(self.headers), **dict(headers or {}), "Authorization": self._credentials.basic()}
        if not content:
            sent.pop("Content-Type", None)
        target = httpx.URL(str(url))
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(method, target, content, sent)
            challenge = response.headers.get("WWW-Authenticate", "")
            if response.status == 401 and challenge.lower().startswith("digest"):
                signed = {**sent, "Authorization": self._credentials.digest(challenge, method, target)}
                response = self._send(method, target, content, signed)
            if response.status not in REDIRECTS:
                self.arrived_at = target
                return self._read(method, response)
            if method not in FOLLOWS_REDIRECTS or "Location" not in response.headers:
                break
            target = _joined(target, response.headers["Location"])
        raise CalendarError(Trouble.ELSEWHERE, f"HTTP {response.status}", status=response.status)

    def _send(self, method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]) -> Response:
        origin = _origin(str(url))
        if not _is_same_site(self._home, origin):
            raise CalendarError(Trouble.ELSEWHERE)
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise CalendarError(Trouble.NO_RESPONSE, "too slow")
        may_connect = self._may_connect(origin.scheme)
        http = PinnedHttp(may_connect, whole_s=left_s, read_s=left_s, max_body_bytes=MAX_BODY_BYTES)
        try:
            return http.send(method, url, content, headers)
        except TooLarge as exc:
            raise CalendarError(Trouble.TOO_LARGE) from exc
        except NoResponse as exc:
            raise CalendarError(Trouble.NO_RESPONSE, str(exc)) from exc
        except NameNotFound as exc:
            raise CalendarError(Trouble.UNKNOWN_HOST) from exc
        except AddressRefused as exc:
            raise CalendarError(Trouble.ADDRESS, str(exc)) from exc

    def _read(self, method: str, response: Response) -> DAVResponse:
        if response.status >= 400:
            raise error_of_status(response.status, wait_s=retry_after_s(response.retry_after))
        self.body = response.body
        if method in READS_XML:
            _check_xml(response.body)
        # The library takes everything for XML, and writes what is none to the log.
        content = response.body if method in READS_XML else b""
        return DAVResponse(_HttpResponse(response.status, content, response.headers), self)

    def _may_connect(self, scheme: str) -> Callable[[str], bool]:
        """Public addresses over https; loopback addresses, if allowed, over http too."""

        def judge(address: str) -> bool:
            return (scheme == "https" and is_public(address)) or (self._may_be_local and is_loopback(address))

        return judge


def _origin(url: str) -> Origin:
    try:
        return read_origin(url)
    except ValueError as exc:
        raise CalendarError(Trouble.ADDRESS) from exc


def _joined(base: httpx.URL, location: str) -> httpx.URL:
    try:
        return base.join(location)
    except (httpx.InvalidURL, ValueError) as exc:
        raise CalendarError(Trouble.GARBAGE, "a redirect to no address") from exc


def _is_same_site(home: Origin, other: Origin) -> bool:
    """The server itself, or a neighbor of it: large providers keep accounts on caldav.…, p34-caldav.… of one domain.

    The password goes there, so it is the named server's own domain only, and never from https to http.
    """
    if home == other:
        return True
    domains = [name for name in (home.host, home.host.partition(".")[2]) if "." in name]
    return other.is_named_https and any(other.host.endswith(f".{name}") or other.host == name for name in domains)


def _check_xml(body: bytes) -> None:
    """The library reads XML with entities, and takes a web page that is XML for an empty calendar."""
    try:
        tree = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise CalendarError(Trouble.GARBAGE, "not XML") from exc
    if tree.getroottree().docinfo.internalDTD is not None:
        raise CalendarError(Trouble.GARBAGE, "XML with a document type")
    if tree.tag != MULTISTATUS:
        raise CalendarError(Trouble.GARBAGE, "no multistatus")
