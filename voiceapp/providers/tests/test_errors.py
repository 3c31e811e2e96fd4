"""Errors of providers by class, and the waits that they name."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from twilio.base.exceptions import TwilioRestException

from voiceapp.core.jobs.engine import wait_before_retry_s
from voiceapp.providers.errors import ProviderError, RetryClass, retry_after_s, retry_class_of
from voiceapp.providers.livekit.errors import LiveKitError, LiveKitErrorKind
from voiceapp.providers.openai.errors import OpenAIError, OpenAIErrorKind
from voiceapp.providers.twilio.client import provider_error


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("0", 0), ("7", 7), (" 1.5 ", 1.5), ("-1", 0), ("999999999", 86_400), ("inf", None), ("nan", None), ("soon", None),
     ("", None), (None, None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)],
)  # fmt: skip
def test_a_retry_after_is_read_as_seconds(header: str | None, wait_s: float | None) -> None:
    assert retry_after_s(header) == wait_s


def test_a_retry_after_may_be_a_date() -> None:
    in_a_minute = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60), usegmt=True)
    assert 57 < (retry_after_s(in_a_minute) or 0) <= 60


@pytest.mark.parametrize(
    ("status", "wait_s", "expected"),
    [
        (429, 5, RetryClass.WAIT),
        (429, None, RetryClass.AGAIN),
        (503, 5, RetryClass.WAIT),
        (500, None, RetryClass.AGAIN),
        (401, 5, RetryClass.GIVE_UP),
        (404, None, RetryClass.GIVE_UP),
        (302, 5, RetryClass.GIVE_UP),
        (400, 5, RetryClass.OUR_BUG),
        (422, None, RetryClass.OUR_BUG),
    ],
)
def test_a_status_has_a_class(status: int, wait_s: float | None, expected: RetryClass) -> None:
    assert retry_class_of(status, retry_after_s=wait_s) is expected


def test_only_what_would_fail_again_is_permanent() -> None:
    assert [ProviderError("x", "y", retry_class=each).permanent for each in RetryClass] == [False, False, True, True]
    assert ProviderError("x", "y", permanent=True, retry_after_s=5).retry_after_s is None
    assert ProviderError("x", "y", retry_after_s=5).retry_class is RetryClass.WAIT
    assert OpenAIError(OpenAIErrorKind.REFUSED, "y").retry_class is RetryClass.OUR_BUG
    assert LiveKitError(LiveKitErrorKind.BAD_INPUT, "y").retry_class is RetryClass.OUR_BUG
    assert LiveKitError(LiveKitErrorKind.UNAVAILABLE, "y").retry_class is RetryClass.AGAIN
    assert provider_error(TwilioRestException(400, "/Calls", "no")).retry_class is RetryClass.OUR_BUG
    assert provider_error(TwilioRestException(429, "/Calls", "no")).retry_class is RetryClass.AGAIN
    assert OpenAIError(OpenAIErrorKind.RATE_LIMITED, "y", retry_after_s=3).retry_after_s == 3


def test_a_wait_grows_and_is_never_less_than_the_named_one() -> None:
    for attempts in range(1, 40):
        grown_s = min(600, 5 * 2.0 ** (attempts - 1))
        assert grown_s / 2 <= wait_before_retry_s(attempts, first_s=5, longest_s=600) <= grown_s
        assert wait_before_retry_s(attempts, first_s=5, longest_s=600, named_s=900) == 900
