"""VAPI's requests to our server URL: verification over the raw body, before anything is parsed (protocols C4)."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from django.conf import settings

# VAPI's own defaults (HMACAuthenticationPlan).
DEFAULT_HEADERS = {"secret": "X-Vapi-Secret", "bearer": "Authorization", "hmac": "x-signature"}
ALGORITHMS = ("sha256", "sha512", "sha1")
ENCODINGS = ("hex", "base64")
PLACEHOLDERS = ("{body}", "{timestamp}", "{method}", "{url}", "{svix-id}")
MESSAGE_ID_HEADER = "svix-id"
# An older signature is a replay. VAPI signs each retry anew.
MAX_AGE_S = 300
MAX_HEADER_LENGTH = 4096
BEARER = "Bearer "


class Method(StrEnum):
    """How VAPI proves who it is: the credential that its dashboard attaches to the server URL."""

    SECRET = "secret"  # noqa: S105 - the name of a method
    BEARER = "bearer"
    HMAC = "hmac"


class WebhookRefused(Exception):
    """`reason`: not_configured, no_credential, malformed, wrong, no_timestamp, stale."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"vapi webhook refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: `url` is the public one, as configured at VAPI."""

    headers: Mapping[str, str]
    body: bytes
    url: str
    method: str = "POST"

    def header(self, name: str) -> str:
        """Raises WebhookRefused where it is absent or cannot be one of ours."""
        value = self.headers.get(name, "")
        if not value:
            raise WebhookRefused("no_credential")
        if len(value) > MAX_HEADER_LENGTH or not value.isascii():
            raise WebhookRefused("malformed")
        return value


@dataclass(frozen=True, slots=True)
class WebhookCredential:
    """The configured credential. `secrets`: the current one, and during a rotation the earlier ones.

    HMAC signs `payload_format` with the placeholders of VAPI's custom credential: {body}, {timestamp}, {method}, {url}
    and {svix-id}.
    """

    method: Method
    secrets: tuple[str, ...]
    header: str = ""
    algorithm: str = "sha256"
    timestamp_header: str = "x-timestamp"
    payload_format: str = "{timestamp}.{body}"
    signature_prefix: str = ""
    encoding: str = "hex"

    @classmethod
    def from_settings(cls) -> Self:
        """Raises WebhookRefused where no credential, or an unknown method of it, is configured."""
        secrets = tuple(each for each in (each.strip() for each in settings.VAPI_SERVER_SECRET.split(",")) if each)
        if (
            not secrets
            or settings.VAPI_SERVER_AUTH not in list(Method)
            or settings.VAPI_HMAC_ALGORITHM not in ALGORITHMS
        ):
            raise WebhookRefused("not_configured")
        return cls(
            method=Method(settings.VAPI_SERVER_AUTH),
            secrets=secrets,
            header=settings.VAPI_SERVER_HEADER,
            algorithm=settings.VAPI_HMAC_ALGORITHM,
            timestamp_header=settings.VAPI_HMAC_TIMESTAMP_HEADER,
            payload_format=settings.VAPI_HMAC_PAYLOAD,
            signature_prefix=settings.VAPI_HMAC_PREFIX,
            encoding=settings.VAPI_HMAC_ENCODING,
        )

    @property
    def header_name(self) -> str:
        return self.header or DEFAULT_HEADERS[self.method]

    def verify(self, request: Received, *, now_s: float | None = None) -> None:
        """Raises WebhookRefused unless VAPI made the request. All comparisons take constant time."""
        if not self.secrets:
            raise WebhookRefused("not_configured")
        given = request.header(self.header_name)
        if self.method is Method.HMAC:
            self._check_age(request, time.time() if now_s is None else now_s)
            payload = self._payload(request)
            genuine = [self._signature(secret, payload) for secret in self.secrets]
        else:
            genuine = [self.header_value(secret) for secret in self.secrets]
        # All of them are compared: which one fits takes no other time.
        if not sum(hmac.compare_digest(given.encode(), each.encode()) for each in genuine):
            raise WebhookRefused("wrong")

    def header_value(self, secret: str) -> str:
        """What VAPI sends of a secret that is not used to sign. In the usual header a bearer has its prefix."""
        is_prefixed = self.method is Method.BEARER and self.header_name.lower() == "authorization"
        return f"{BEARER}{secret}" if is_prefixed else secret

    def sign(self, request: Received) -> str:
        """The signature of VAPI's over the request, by the current secret."""
        return self._signature(self.secrets[0], self._payload(request))

    def _payload(self, request: Received) -> bytes:
        """The signed bytes, in one pass from left to right: a body may contain what looks like a placeholder."""
        values = {
            "{body}": request.body,
            "{timestamp}": request.headers.get(self.timestamp_header, "").encode(),
            "{method}": request.method.encode(),
            "{url}": request.url.encode(),
            "{svix-id}": request.headers.get(MESSAGE_ID_HEADER, "").encode(),
        }
        parts: list[bytes] = []
        rest = self.payload_format
        while rest:
            found = next((name for name in PLACEHOLDERS if rest.startswith(name)), None)
            parts.append(values[found] if found else rest[0].encode())
            rest = rest[len(found) if found else 1 :]
        return b"".join(parts)

    def _signature(self, secret: str, payload: bytes) -> str:
        digest = hmac.new(secret.encode(), payload, self.algorithm).digest()
        text = base64.b64encode(digest).decode() if self.encoding == "base64" else digest.hex()
        return f"{self.signature_prefix}{text}"

    def _check_age(self, request: Received, now_s: float) -> None:
        """A timestamp is checked where it is signed. It is in epoch seconds or milliseconds."""
        if "{timestamp}" not in self.payload_format:
            return
        text = request.headers.get(self.timestamp_header, "")
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise WebhookRefused("no_timestamp")
        at_s = int(text) / 1000 if len(text) > 11 else int(text)
        if abs(now_s - at_s) > MAX_AGE_S:
            raise WebhookRefused("stale")
