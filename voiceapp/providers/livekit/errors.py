"""LiveKit's errors by kind: endpoints choose their response by it, not by LiveKit's messages or codes."""

from __future__ import annotations

from enum import StrEnum

import aiohttp
from livekit import api

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.errors import ProviderError, RetryClass

PROVIDER = "livekit"
MAX_REASON_LENGTH = 300


class LiveKitErrorKind(StrEnum):
    NOT_FOUND = "not_found"
    BAD_INPUT = "bad_input"
    NOT_CONFIGURED = "not_configured"
    NO_RECORDER = "no_recorder"  # this LiveKit has no egress service: it cannot record
    NO_PHONES = "no_phones"  # this LiveKit has no SIP service, or does not know our trunk
    UNAVAILABLE = "unavailable"  # no response, or only from a proxy: probably nothing was done
    TIMEOUT = "timeout"  # no response in time: it may have been done
    CREDENTIALS_REFUSED = "credentials_refused"
    REFUSED = "refused"
    ALREADY_ENDED = "already_ended"


TEMPORARY = {LiveKitErrorKind.UNAVAILABLE, LiveKitErrorKind.TIMEOUT, LiveKitErrorKind.REFUSED}


class LiveKitError(ProviderError):
    """`kind` decides the response to the client; `permanent`: the same request would fail again."""

    def __init__(self, kind: LiveKitErrorKind, message: str, *, retry_after_s: float | None = None) -> None:
        retry_class = RetryClass.OUR_BUG if kind is LiveKitErrorKind.BAD_INPUT else None
        super().__init__(
            PROVIDER,
            message[:MAX_REASON_LENGTH],
            permanent=kind not in TEMPORARY,
            retry_class=retry_class,
            retry_after_s=retry_after_s,
        )
        self.kind = kind


KIND_BY_CODE = {
    api.ServerErrorCode.NOT_FOUND: LiveKitErrorKind.NOT_FOUND,
    api.ServerErrorCode.INVALID_ARGUMENT: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.MALFORMED: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.OUT_OF_RANGE: LiveKitErrorKind.BAD_INPUT,
    api.ServerErrorCode.FAILED_PRECONDITION: LiveKitErrorKind.ALREADY_ENDED,
    api.ServerErrorCode.BAD_ROUTE: LiveKitErrorKind.UNAVAILABLE,
    api.ServerErrorCode.RESOURCE_EXHAUSTED: LiveKitErrorKind.UNAVAILABLE,
    api.ServerErrorCode.UNAVAILABLE: LiveKitErrorKind.UNAVAILABLE,
    api.ServerErrorCode.DEADLINE_EXCEEDED: LiveKitErrorKind.TIMEOUT,
    api.ServerErrorCode.CANCELED: LiveKitErrorKind.TIMEOUT,
}
# A response without LiveKit's error code came from a proxy, or from no LiveKit at all.
KIND_BY_STATUS = {
    404: LiveKitErrorKind.UNAVAILABLE,
    408: LiveKitErrorKind.TIMEOUT,
    429: LiveKitErrorKind.UNAVAILABLE,
    502: LiveKitErrorKind.UNAVAILABLE,
    503: LiveKitErrorKind.UNAVAILABLE,
    504: LiveKitErrorKind.TIMEOUT,
}


def error_of(fault: Exception) -> LiveKitError:
    """Convert what livekit-api raises (livekit-api 1.2, server 1.13)."""
    if isinstance(fault, api.ServerError):
        message = f"{fault.status} {fault.code} {fault.message}".strip()
        return LiveKitError(_kind_of(fault), message)
    if isinstance(fault, TimeoutError) and not isinstance(fault, aiohttp.ConnectionTimeoutError):
        return LiveKitError(LiveKitErrorKind.TIMEOUT, KeptText("no response in time"))
    return LiveKitError(LiveKitErrorKind.UNAVAILABLE, KeptText("no response (%(why)s)", why=type(fault).__name__))


def _kind_of(fault: api.ServerError) -> LiveKitErrorKind:
    # By status first: a wrong key is rejected with plain text, which has no code.
    if fault.status in (401, 403):
        return LiveKitErrorKind.CREDENTIALS_REFUSED
    code = str(fault.code)
    if code == api.ServerErrorCode.INTERNAL and "egress not connected" in str(fault.message):
        return LiveKitErrorKind.NO_RECORDER
    if code == api.ServerErrorCode.INTERNAL and "sip not connected" in str(fault.message):
        return LiveKitErrorKind.NO_PHONES
    if code == api.ServerErrorCode.UNKNOWN:
        return KIND_BY_STATUS.get(fault.status, LiveKitErrorKind.REFUSED)
    return KIND_BY_CODE.get(code, LiveKitErrorKind.REFUSED)
