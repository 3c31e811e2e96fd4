"""LiveKit's ids: two letters for the kind and twelve random characters."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """`RM` room, `PA` participant, `TR` track, `AD` dispatch, `AJ` job, `EG` egress, `EV` event."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"
