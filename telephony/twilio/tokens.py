"""The one-time token of a media stream: the stream's id and an HMAC over it, so that nothing secret is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from uuid import UUID

from django.conf import settings

PURPOSE = b"voiceapp.telephony.media_stream"
ID_BYTES = 16
# 16 bytes of id and 32 of HMAC are 64 characters without padding: Twilio allows a <Parameter> 500.
SHAPE = re.compile(r"[A-Za-z0-9_-]{64}")


def token_for(stream_id: UUID) -> str:
    """The token that goes into the TwiML; the same each time it is made."""
    return base64.urlsafe_b64encode(stream_id.bytes + _mac(stream_id.bytes, settings.SECRET_KEY)).decode()


def stream_id_of(token: str) -> UUID | None:
    """The stream that a token names, None when we did not make it. Says nothing of whether it was used."""
    if not SHAPE.fullmatch(token):
        return None
    decoded = base64.urlsafe_b64decode(token)
    named, mac = decoded[:ID_BYTES], decoded[ID_BYTES:]
    # All are compared: a process that has the new key and one that still has the old take each other's tokens.
    known = [hmac.compare_digest(mac, _mac(named, secret)) for secret in secrets_in_use()]
    return UUID(bytes=named) if any(known) else None


def secrets_in_use() -> tuple[str, ...]:
    """The first signs, each verifies: rotating SECRET_KEY must not refuse the calls that are ringing."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _mac(content: bytes, secret: str) -> bytes:
    # A key of its own: what signs cookies must not also open phone lines.
    key = hmac.digest(secret.encode(), PURPOSE, hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)
