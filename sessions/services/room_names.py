"""How rooms are named that nobody named. Pure."""

from __future__ import annotations

import datetime as dt
import re
import secrets

LONGEST = 100
RANDOM_BYTES = 8
UNSAFE = re.compile(r"[^A-Za-z0-9_]+")


def new_room_name(call_type: str, subject: str, *, at: dt.datetime) -> str:
    """`support-user123-1640995200-3f9c2a7be1d04c55`: the form that clients know, and 64 bits that nobody guesses."""
    ending = f"{int(at.timestamp())}-{secrets.token_hex(RANDOM_BYTES)}"
    room_for_subject = LONGEST - len(call_type) - len(ending) - 2
    return f"{call_type}-{safe(subject)[:room_for_subject]}-{ending}"


def safe(subject: str) -> str:
    """A subject in the letters that a room's name may have."""
    return UNSAFE.sub("-", subject).strip("-") or "somebody"
