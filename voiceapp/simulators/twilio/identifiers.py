"""Twilio's identifiers: two letters for the kind, then 32 hexadecimal digits."""

from __future__ import annotations

import secrets
import uuid


def new_sid(kind: str) -> str:
    """`CA` a call, `MZ` a media stream, `RE` a recording, `PN` a number, `SM` a message."""
    return kind + secrets.token_hex(16)


def new_idempotency_token() -> str:
    return str(uuid.uuid4())
