"""Twilio's signature: one check for every HTTP webhook, one for every stream route. Nothing turns it off.

The signed address is built from PUBLIC_BASE_URL, never from the Host header.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.crypto import constant_time_compare
from twilio.request_validator import RequestValidator

from voiceapp.core.metrics import signatures_refused
from voiceapp.providers.twilio.client import CALL_SID
from voiceapp.providers.twilio.messages import MESSAGE_SID

logger = structlog.get_logger("webhooks")

DEFAULT_PORTS = {"https": ":443", "http": ":80", "wss": ":443", "ws": ":80"}


def accepted_tokens() -> list[str]:
    """The current auth token and, while it is being rotated, the earlier ones."""
    return [token for token in (each.strip() for each in settings.TWILIO_AUTH_TOKEN.split(",")) if token]


def is_signed(signature: str, url: str, form: QueryDict | None = None) -> bool:
    """Whether the signature is that of one of our tokens over this address and form (protocols A4)."""
    if not signature or not signature.isascii():
        return False
    spellings = _spellings(url)
    return any(
        constant_time_compare(RequestValidator(token).compute_signature(spelling, form or {}), signature)
        for token in accepted_tokens()
        for spelling in spellings
    )


class Subject(enum.Enum):
    """What a webhook is about: the field with its SID, which it must have."""

    CALL = ("CallSid", CALL_SID)
    MESSAGE = ("MessageSid", MESSAGE_SID)


def why_refused(request: HttpRequest, *, about: Subject = Subject.CALL) -> str:
    """Empty if Twilio made this form request for our own account, with the fields it must have; else the reason.

    Names and values are signed without separators, so shapes are checked after the signature (reliability A4).
    """
    # QUERY_STRING as it came: decoding and encoding it again would change what was signed.
    query = request.META.get("QUERY_STRING", "")
    url = settings.PUBLIC_BASE_URL + request.path + (f"?{query}" if query else "")
    form = request.POST
    if not is_signed(request.headers.get("X-Twilio-Signature", ""), url, form):
        return "wrong signature"
    if any(len(values) > 1 for fields in (form, request.GET) for _, values in fields.lists()):
        return "repeated field"
    name, pattern = about.value
    if not pattern.fullmatch(form.get(name, "")):
        return f"malformed {name}"
    if not settings.TWILIO_ACCOUNT_SID or form.get("AccountSid") != settings.TWILIO_ACCOUNT_SID:
        return "other account"
    return ""


def verify_handshake(scope: Mapping[str, Any]) -> bool:
    """Whether Twilio opens this WebSocket: its signature over the exact public address, and no browser's Origin.

    Twilio drops the query of a <Stream url>; one that arrives may be signed or not, as it only holds hints.
    """
    headers: list[tuple[bytes, bytes]] = list(scope.get("headers", ()))
    if any(name.lower() == b"origin" for name, _ in headers):
        return refuse("stream", "browser")
    signatures = [value for name, value in headers if name.lower() == b"x-twilio-signature"]
    if len(signatures) != 1:
        return refuse("stream", "no single signature")
    signature = signatures[0].decode("latin-1")
    url = stream_url(scope["path"])
    query = bytes(scope.get("query_string", b"")).decode("latin-1")
    if is_signed(signature, url) or (query and is_signed(signature, f"{url}?{query}")):
        return True
    return refuse("stream", "wrong signature")


def stream_url(path: str) -> str:
    """The public address of a stream route: wss, or ws where PUBLIC_BASE_URL is plain http on this machine."""
    base: str = settings.PUBLIC_BASE_URL
    return "ws" + base.removeprefix("http") + path


def refuse(webhook: str, why: str) -> bool:
    """Count and log a refusal. Always False, so that a check can end with it."""
    signatures_refused.labels(webhook).inc()
    logger.warning("signature refused", webhook=webhook, why=why)
    return False


def _spellings(url: str) -> tuple[str, ...]:
    """The address, and the same with or without its scheme's default port: Twilio signs either."""
    parts = urlsplit(url)
    default = DEFAULT_PORTS[parts.scheme]
    if parts.netloc.endswith(default):
        other = parts.netloc.removesuffix(default)
    elif parts.netloc.rpartition("]")[2].count(":"):
        return (url,)
    else:
        other = parts.netloc + default
    start = len(parts.scheme) + len("://")
    return (url, url[:start] + other + url[start + len(parts.netloc) :])
