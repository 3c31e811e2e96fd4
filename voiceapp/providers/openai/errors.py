"""OpenAI's errors by kind: endpoints choose their response by it."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from voiceapp.providers.errors import ProviderError, RetryClass

PROVIDER = "openai"
MAX_REASON_LENGTH = 300


class OpenAIErrorKind(StrEnum):
    NOT_CONFIGURED = "not_configured"  # there is no key
    KEY_UNAVAILABLE = "key_unavailable"  # AWS, which stores the key, does not respond
    UNAVAILABLE = "unavailable"  # no response, or a server error
    TIMEOUT = "timeout"  # no response in time
    RATE_LIMITED = "rate_limited"  # too many requests, or the account's quota is used up
    CREDENTIALS_REFUSED = "credentials_refused"
    REFUSED = "refused"  # the request itself
    MALFORMED_RESPONSE = "malformed_response"


TEMPORARY = {
    OpenAIErrorKind.KEY_UNAVAILABLE,
    OpenAIErrorKind.UNAVAILABLE,
    OpenAIErrorKind.TIMEOUT,
    OpenAIErrorKind.RATE_LIMITED,
    OpenAIErrorKind.MALFORMED_RESPONSE,
}
MESSAGES = {
    OpenAIErrorKind.NOT_CONFIGURED: "No key for OpenAI is configured.",
    OpenAIErrorKind.KEY_UNAVAILABLE: "The key for OpenAI cannot be fetched right now.",
    OpenAIErrorKind.UNAVAILABLE: "OpenAI cannot be reached right now.",
    OpenAIErrorKind.TIMEOUT: "OpenAI did not respond in time.",
    OpenAIErrorKind.MALFORMED_RESPONSE: "OpenAI's response could not be read.",
}


class OpenAIError(ProviderError):
    """`status` is OpenAI's, None without a response; the message is for the log, `public_message` for the client."""

    def __init__(
        self,
        kind: OpenAIErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        is_permanent = kind not in TEMPORARY
        is_our_bug = kind is OpenAIErrorKind.REFUSED
        super().__init__(
            PROVIDER,
            message[:MAX_REASON_LENGTH],
            permanent=is_permanent,
            retry_class=RetryClass.OUR_BUG if is_our_bug else None,
            retry_after_s=None if is_permanent else retry_after_s,
        )
        self.kind = kind
        self.status = status

    @property
    def public_message(self) -> str:
        """A sentence for our client, without OpenAI's text, which quotes parts of keys."""
        if self.status is None or self.kind is OpenAIErrorKind.MALFORMED_RESPONSE:
            return MESSAGES.get(self.kind, "OpenAI refused the request.")
        return f"OpenAI returned {status_text(self.status)}."


def status_text(status: int) -> str:
    """`429 Too Many Requests`; the number alone if HTTP does not name it."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def kind_of(status: int) -> OpenAIErrorKind:
    if status in (401, 403):
        return OpenAIErrorKind.CREDENTIALS_REFUSED
    if status == 429:
        return OpenAIErrorKind.RATE_LIMITED
    if status in (408, 504):
        return OpenAIErrorKind.TIMEOUT
    return OpenAIErrorKind.UNAVAILABLE if status >= 500 else OpenAIErrorKind.REFUSED
