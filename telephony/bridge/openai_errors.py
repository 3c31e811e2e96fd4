"""What an error of OpenAI's means for a call (codes: protocols of the Realtime API, limits and errors)."""

from __future__ import annotations

import enum

from .openai_wire import ErrorBody


class ErrorKind(enum.Enum):
    BENIGN = "benign"  # two sides crossed on the wire: nothing is wrong
    BUSY = "busy"  # a response is active: ask again after it
    EXPIRED = "expired"  # this session is over, a new one will do
    FATAL = "fatal"  # no session will do
    OTHER = "other"


_BENIGN_CODES = frozenset({"response_cancel_not_active", "input_audio_buffer_commit_empty"})
_BENIGN_WORDS = ("already shorter than", "cancellation failed", "only model output audio messages can be truncated")
_FATAL_CODES = frozenset(
    {
        "invalid_api_key",
        "model_not_found",
        "beta_api_shape_disabled",
        "insufficient_quota",
        "account_deactivated",
    }
)


def classify(error: ErrorBody) -> ErrorKind:
    code = error.code or ""
    message = (error.message or "").lower()
    if code == "conversation_already_has_active_response":
        return ErrorKind.BUSY
    if code in _BENIGN_CODES or code.startswith("item_truncate") or any(words in message for words in _BENIGN_WORDS):
        return ErrorKind.BENIGN
    if code == "session_expired":
        return ErrorKind.EXPIRED
    # Codes may come with a prefix: invalid_request_error.beta_api_shape_disabled.
    if code.rpartition(".")[2] in _FATAL_CODES or code.startswith("billing_"):
        return ErrorKind.FATAL
    return ErrorKind.OTHER
