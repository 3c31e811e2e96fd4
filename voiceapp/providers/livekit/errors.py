"""What LiveKit refused, by kind: doors choose their answer by the kind, not by LiveKit's words or numbers."""

from __future__ import annotations

from enum import StrEnum

import aiohttp
from livekit import api

from voiceapp.providers.errors import ErrorClass, ProviderError

COMPANY = "livekit"
LONGEST_REASON = 300


class LiveKitErrorKind(StrEnum):
    NOT_FOUND = "not_found"
    BAD_INPUT = "bad_input"
    NOT_CONFIGURED = "not_configured"
    NO_RECORDER = "no_recorder"  # this LiveKit has no egress: it cannot record at all
    AWAY = "away"  # nobody answered, or only a proxy did: as far as we know nothing was done
    SLOW = "slow"  # no answer in time: it may have been done
    CREDENTIALS_REFUSED = "credentials_refused"
    REFUSED = "refused"
    ALREADY_OVER = "already_over"


MAY_PASS = {LiveKitErrorKind.AWAY, LiveKitErrorKind.SLOW, LiveKitErrorKind.REFUSED}


class LiveKitError(ProviderError):
    """`kind` says what to tell the client; `permanent` that the same request would fail again."""

    def __init__(self, kind: LiveKitErrorKind, message: str, *, retry_after_s: float | None = None) -> None:
        error_class = ErrorClass.OUR_BUG if kind is LiveKitErrorKind.BAD_INPUT else None
        super().__init__(
            COMPANY,
            message[:LONGEST_REASON],
            permanent=kind not in MAY_PASS,
            error_class=error_class,
            retry_after_s=retry_after_s,
        )
        self.kind = kind


KIND_BY_CODE = {
    api.ServerErrorCode.NOT_FOUND: LiveKitErrorKind.NOT_FOUND,
    api.ServerErrorCode.INVALID_ARGUMENT: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.MALFORMED: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.OUT_OF_RANGE: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.FAILED_PRECONDITION: LiveKitErrorKind.ALREADY_OVER,
    api.ServerErrorCode.BAD_ROUTE: LiveKitErrorKind.AWAY,
    api.ServerErrorCode.RESOURCE_EXHAUSTED: LiveKitErrorKind.AWAY,
    api.ServerErrorCode.UNAVAILABLE: LiveKitErrorKind.AWAY,
    api.ServerErrorCode.DEADLINE_EXCEEDED: LiveKitErrorKind.SLOW,
    api.ServerErrorCode.CANCELED: LiveKitErrorKind.SLOW,
}
# Without a code of LiveKit's own, somebody on the way answered: a proxy, or no LiveKit at all.
KIND_BY_STATUS = {
    404: LiveKitErrorKind.AWAY,
    408: LiveKitErrorKind.SLOW,
    429: LiveKitErrorKind.AWAY,
    502: LiveKitErrorKind.AWAY,
    503: LiveKitErrorKind.AWAY,
    504: LiveKitErrorKind.SLOW,
}


def error_of(fault: Exception) -> LiveKitError:
    """From what livekit-api raises (reference: livekit-api 1.2, server v1.13)."""
    if isinstance(fault, api.ServerError):
        words = f"{fault.status} {fault.code} {fault.message}".strip()
        return LiveKitError(_kind_of(fault), words)
    if isinstance(fault, TimeoutError) and not isinstance(fault, aiohttp.ConnectionTimeoutError):
        return LiveKitError(LiveKitErrorKind.SLOW, "no answer in time")
    return LiveKitError(LiveKitErrorKind.AWAY, f"no answer ({type(fault).__name__})")


def _kind_of(fault: api.ServerError) -> LiveKitErrorKind:
    # By status first: a wrong key is refused in plain text, which arrives here without a code.
    if fault.status in (401, 403):
        return LiveKitErrorKind.CREDENTIALS_REFUSED
    code = str(fault.code)
    if code == api.ServerErrorCode.INTERNAL and "egress not connected" in str(fault.message):
        return LiveKitErrorKind.NO_RECORDER
    if code == api.ServerErrorCode.UNKNOWN:
        return KIND_BY_STATUS.get(fault.status, LiveKitErrorKind.REFUSED)
    return KIND_BY_CODE.get(code, LiveKitErrorKind.REFUSED)
