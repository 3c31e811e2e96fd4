"""The documented form of what we send to LiveKit: lengths in bytes, as the server counts them.

Sources: docs/reference/provider-fields.md.
"""

from __future__ import annotations

from .errors import LiveKitError, LiveKitErrorKind

MAX_NAME_BYTES = 256
MAX_METADATA_BYTES = 64_000
MAX_TIMEOUT_S = 2**32 - 1


def check_name(text: str, what: str) -> str:
    """A room's name or a participant's identity. Raises LiveKitError: cut, it would name another one."""
    if not 0 < len(text.encode()) <= MAX_NAME_BYTES:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"{what} must have 1 to {MAX_NAME_BYTES} bytes")
    return text


def check_metadata(text: str) -> str:
    """Raises LiveKitError: shortened it would not be JSON."""
    if len(text.encode()) > MAX_METADATA_BYTES:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"metadata of more than {MAX_METADATA_BYTES} bytes")
    return text


def check_timeout(seconds: int) -> int:
    if not 0 <= seconds <= MAX_TIMEOUT_S:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"a timeout of {seconds} seconds")
    return seconds


def fit_display_name(text: str) -> str:
    """Cut between characters: people read it, nothing depends on it."""
    return text.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
