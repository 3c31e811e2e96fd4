"""The documented form of what LiveKit is sent: lengths in bytes, as the server counts them.

Sources: docs/provider-fields.md.
"""

from __future__ import annotations

from .errors import LiveKitError, LiveKitErrorKind

LONGEST_NAME_BYTES = 256
LONGEST_METADATA_BYTES = 64_000
LONGEST_TIMEOUT_S = 2**32 - 1


def check_name(text: str, what: str) -> str:
    """A room's name or a participant's identity. Raises LiveKitError: another one would be another room or person."""
    if not 0 < len(text.encode()) <= LONGEST_NAME_BYTES:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"{what} must have 1 to {LONGEST_NAME_BYTES} bytes")
    return text


def check_metadata(text: str) -> str:
    """Raises LiveKitError: half of it would be no JSON."""
    if len(text.encode()) > LONGEST_METADATA_BYTES:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"metadata of more than {LONGEST_METADATA_BYTES} bytes")
    return text


def check_timeout(seconds: int) -> int:
    if not 0 <= seconds <= LONGEST_TIMEOUT_S:
        raise LiveKitError(LiveKitErrorKind.BAD_INPUT, f"a timeout of {seconds} seconds")
    return seconds


def fit_display_name(text: str) -> str:
    """Cut at a character: people read it, nothing depends on it."""
    return text.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
