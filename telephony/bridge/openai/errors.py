"""What an error of OpenAI's means for a call (codes: protocols of the Realtime API, limits and errors)."""

from __future__ import annotations

import enum
import math
import re

from telephony.bridge.core.events import ErrorClass

from .frames import ErrorBody


class ErrorKind(enum.Enum):
    BENIGN = "benign"  # two sides crossed on the wire: nothing is wrong
    BUSY = "busy"  # a response is active: request again after it
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
_WAIT_CODES = frozenset(
    {
        "rate_limit_exceeded",
        "rate_limit_error",
        "rate_limit_reached",
        "too_many_requests",
        "slow_down",
        "server_overloaded",
        "overloaded",
        "overloaded_error",
        "engine_overloaded",
        "service_unavailable",
        "requests",
        "tokens",
    }
)
_OUR_CODES = frozenset({"invalid_value", "missing_required_parameter", "unknown_parameter", "invalid_type"})
_TRY_AGAIN = re.compile(r"(?:try again|retry) (?:in|after)\s+((?:\d+(?:\.\d+)?\s*[a-z]+\s*)+)", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_UNIT_MS = {"ms": 1, "millisecond": 1, "s": 1_000, "sec": 1_000, "second": 1_000, "m": 60_000, "min": 60_000,
            "minute": 60_000, "h": 3_600_000, "hour": 3_600_000}  # fmt: skip


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


def error_class(error: ErrorBody) -> ErrorClass:
    """What to do about a response that failed with this error."""
    if classify(error) is ErrorKind.FATAL:
        return ErrorClass.GIVE_UP
    names = {(error.code or "").rpartition(".")[2], (error.type or "").rpartition(".")[2]}
    message = error.message or ""
    if names & _WAIT_CODES or "rate limit" in message.lower() or wait_named_ms(message) is not None:
        return ErrorClass.WAIT
    if "invalid_request_error" in names or names & _OUR_CODES:
        return ErrorClass.OUR_BUG
    return ErrorClass.AGAIN


def wait_named_ms(message: str | None) -> int | None:
    """`Please try again in 1.2s.` → 1200; also `300ms`, `6m0s`, `20 seconds`. None where no wait is named."""
    found = _TRY_AGAIN.search(message or "")
    if found is None:
        return None
    spans = [(float(number), _unit_ms(unit)) for number, unit in _SPAN.findall(found[1])]
    known = [number * unit for number, unit in spans if unit is not None]
    return math.ceil(sum(known)) if known else None


def _unit_ms(word: str) -> int | None:
    word = word.lower()
    return _UNIT_MS.get(word, _UNIT_MS.get(word.removesuffix("s")))
