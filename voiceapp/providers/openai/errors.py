"""What OpenAI refused, by kind: doors choose their answer by the kind."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from voiceapp.providers.errors import ErrorClass, ProviderError

COMPANY = "openai"
LONGEST_REASON = 300


class OpenAIErrorKind(StrEnum):
    NOT_CONFIGURED = "not_configured"  # there is no key to ask with
    KEY_AWAY = "key_away"  # there may be one, in a place that does not answer
    AWAY = "away"  # nobody answered, or only to say that nobody can
    SLOW = "slow"  # no answer in time
    LIMITED = "limited"  # too many requests, or the account's quota is used up
    CREDENTIALS_REFUSED = "credentials_refused"
    REFUSED = "refused"  # the request itself
    GARBLED = "garbled"  # an answer that is none of OpenAI's


MAY_PASS = {
    OpenAIErrorKind.KEY_AWAY,
    OpenAIErrorKind.AWAY,
    OpenAIErrorKind.SLOW,
    OpenAIErrorKind.LIMITED,
    OpenAIErrorKind.GARBLED,
}
WORDS = {
    OpenAIErrorKind.NOT_CONFIGURED: "No key for OpenAI is configured.",
    OpenAIErrorKind.KEY_AWAY: "The key for OpenAI cannot be fetched right now.",
    OpenAIErrorKind.AWAY: "OpenAI cannot be reached right now.",
    OpenAIErrorKind.SLOW: "OpenAI did not answer in time.",
    OpenAIErrorKind.GARBLED: "OpenAI's answer could not be read.",
}


class OpenAIError(ProviderError):
    """`status` is what OpenAI answered, None when it did not; the message is for the log, `words` for the client."""

    def __init__(
        self,
        kind: OpenAIErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        is_permanent = kind not in MAY_PASS
        is_our_bug = kind is OpenAIErrorKind.REFUSED
        super().__init__(
            COMPANY,
            message[:LONGEST_REASON],
            permanent=is_permanent,
            error_class=ErrorClass.OUR_BUG if is_our_bug else None,
            retry_after_s=None if is_permanent else retry_after_s,
        )
        self.kind = kind
        self.status = status

    @property
    def words(self) -> str:
        """A sentence for whoever asked us. Nothing of OpenAI's own text, which quotes parts of keys."""
        if self.status is None or self.kind is OpenAIErrorKind.GARBLED:
            return WORDS.get(self.kind, "OpenAI refused the request.")
        return f"OpenAI answered {named(self.status)}."


def named(status: int) -> str:
    """`429 Too Many Requests`; a number that HTTP does not name stays alone."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def kind_of(status: int) -> OpenAIErrorKind:
    if status in (401, 403):
        return OpenAIErrorKind.CREDENTIALS_REFUSED
    if status == 429:
        return OpenAIErrorKind.LIMITED
    if status in (408, 504):
        return OpenAIErrorKind.SLOW
    return OpenAIErrorKind.AWAY if status >= 500 else OpenAIErrorKind.REFUSED
