"""Signatures of the webhooks that we send, by the Standard Webhooks specification 1.0.0 (spec/standard-webhooks.md).

A secret is `whsec_` and the base64 of 24 to 64 bytes. What is signed is `<webhook-id>.<webhook-timestamp>.<body>`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
NEW_BYTES = 32
FEWEST_BYTES, MOST_BYTES = 24, 64


def new_secret() -> str:
    """256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign. Raises ValueError for a text that is no such secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc
    if not secret.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"not {PREFIX} and the base64 of {FEWEST_BYTES} to {MOST_BYTES} bytes")
    return key


def signature_header(keys: Iterable[str], *, webhook_id: str, sent_at_s: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1` signature for each secret, separated by spaces."""
    content = b"%s.%d.%s" % (webhook_id.encode(), sent_at_s, body)
    digests = (hmac.new(key_of(each), content, hashlib.sha256).digest() for each in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
