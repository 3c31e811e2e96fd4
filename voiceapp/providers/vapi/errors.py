"""VAPI's errors by kind."""

from __future__ import annotations

from enum import StrEnum

from voiceapp.providers.errors import ProviderError, RetryClass, retry_class_of

PROVIDER = "vapi"
MAX_REASON_LENGTH = 300


class VapiErrorKind(StrEnum):
    NOT_CONFIGURED = "not_configured"  # there is no key
    UNAVAILABLE = "unavailable"  # no response, or a server error
    TIMEOUT = "timeout"  # no response in time
    RATE_LIMITED = "rate_limited"
    CONCURRENCY_BLOCKED = "concurrency_blocked"  # the account has as many calls as it may have
    CREDENTIALS_REFUSED = "credentials_refused"
    PAYMENT_REQUIRED = "payment_required"
    NOT_FOUND = "not_found"
    REFUSED = "refused"  # the request itself
    MALFORMED_RESPONSE = "malformed_response"


KINDS = {
    401: VapiErrorKind.CREDENTIALS_REFUSED,
    402: VapiErrorKind.PAYMENT_REQUIRED,
    403: VapiErrorKind.CREDENTIALS_REFUSED,
    404: VapiErrorKind.NOT_FOUND,
    408: VapiErrorKind.TIMEOUT,
    429: VapiErrorKind.RATE_LIMITED,
    504: VapiErrorKind.TIMEOUT,
}


class VapiError(ProviderError):
    """`status` is VAPI's, None without a response. The message is for the log: no key and no secret URL is in it."""

    def __init__(
        self,
        kind: VapiErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_class: RetryClass | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        is_permanent = kind is VapiErrorKind.NOT_CONFIGURED
        super().__init__(
            PROVIDER,
            message[:MAX_REASON_LENGTH],
            permanent=is_permanent,
            retry_class=retry_class,
            retry_after_s=retry_after_s,
        )
        self.kind = kind
        self.status = status


def error_of(status: int, message: str, *, retry_after_s: float | None) -> VapiError:
    """The error of a response that is no success."""
    kind = KINDS.get(status) or (VapiErrorKind.UNAVAILABLE if status >= 500 else VapiErrorKind.REFUSED)
    retry_class = retry_class_of(status, retry_after_s=retry_after_s)
    return VapiError(kind, message, status=status, retry_class=retry_class, retry_after_s=retry_after_s)
