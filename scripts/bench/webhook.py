"""The signed webhook of an incoming call, and the media stream that its TwiML names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx

ACCOUNT_SID = "AC" + "0" * 32
ANSWERS_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where a caller's media goes, with the credentials that Twilio sends."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


class OneRequest(httpx.AsyncBaseTransport):
    """A connection per request, as Twilio's are to a server: a pool costs more the more requests wait."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            reader, writer = await asyncio.open_connection(request.url.host, request.url.port)
        except OSError as exc:
            raise httpx.ConnectError(str(exc)) from exc
        request.headers["Connection"] = "close"
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        target = request.url.raw_path.decode()
        writer.write(f"{request.method} {target} HTTP/1.1\r\n{headers}\r\n".encode() + request.content)
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                response = await reader.read()
        except (OSError, TimeoutError) as exc:
            raise httpx.ReadError(repr(exc)) from exc
        finally:
            writer.close()
        head, _, body = response.partition(b"\r\n\r\n")
        status = head[9:12]
        if not status.isdigit():
            raise httpx.ReadError("no response")
        return httpx.Response(int(status), content=body)


class WebhookRefused(Exception):
    """The process under test did not answer a ring with a media stream."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The voice webhook of one organization, for callers of one account."""

    url: str
    dialed: str
    account_sid: str
    auth_token: str

    def sign(self, url: str, form: dict[str, str]) -> str:
        """X-Twilio-Signature: HMAC-SHA1 over the address and the sorted form, in base64."""
        signed = url + "".join(name + form[name] for name in sorted(form))
        return base64.b64encode(hmac.new(self.auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()

    async def ring(self, client: httpx.AsyncClient, call_sid: str, *, caller: str) -> StreamAddress:
        """Posts the ring; returns the stream of the TwiML. Raises WebhookRefused without one."""
        form = {
            "CallSid": call_sid,
            "AccountSid": self.account_sid,
            "From": caller,
            "To": self.dialed,
            "CallStatus": "ringing",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }
        headers = {
            "X-Twilio-Signature": self.sign(self.url, form),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = await client.post(self.url, content=urlencode(form), headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise WebhookRefused(f"{answer.status_code}: {answer.text[:200]}")
        # Our own server's TwiML on loopback, not a stranger's document.
        stream = ElementTree.fromstring(answer.text).find("./Connect/Stream")  # noqa: S314 - our own
        if stream is None:
            raise WebhookRefused(answer.text[:500])
        url = stream.attrib["url"]
        parameters = {each.attrib["name"]: each.attrib["value"] for each in stream.findall("Parameter")}
        return StreamAddress(url, {"X-Twilio-Signature": self.sign(url, {})}, parameters)
