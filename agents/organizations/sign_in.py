"""How often a password may be tried: by user name and address together, and by address over all user names.

A browser that has signed in as a user before is counted by itself: who guesses from elsewhere, or from the same
address, cannot keep that user out (docs/reference/authentication.md).
"""

from __future__ import annotations

import hashlib
import math
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext

from voiceapp.core.limits.counting import CountersUnavailable, count, refund
from voiceapp.core.limits.credentials import address_key
from voiceapp.core.limits.limit import SIGN_IN, SIGN_IN_ADDRESS, Limit
from voiceapp.core.limits.usage import RETRY_AFTER_S, Usage

logger = structlog.get_logger("credentials")

KNOWN_BROWSER = "known_browser"
KNOWN_FOR_S = 180 * 86_400
ATTEMPT = "voiceapp.sign_in_attempt"
WAIT_S = "voiceapp.sign_in_wait_s"


class TooManyAttempts(ValidationError):
    """The password is not looked at. A form shows the message; the response becomes 429."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            gettext("Too many attempts to sign in. Try again in %(describe_wait)s.")
            % {"describe_wait": describe_wait(wait_s)},
            code="too_many_attempts",
        )
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, with what the limits counted for it. A successful attempt is refunded."""

    user_digest: str
    counted: tuple[tuple[Limit, str, Usage], ...]

    def refund(self) -> None:
        for limit, who, usage in self.counted:
            refund(limit, who, usage)


class SignInThrottle:
    """An authentication backend that never signs in a user: it comes before the others and counts the attempts."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **_: Any) -> None:
        """Raises TooManyAttempts. Without a request no page took the password."""
        if request is not None and username:
            request.META[ATTEMPT] = begin_attempt(request, username)


def begin_attempt(request: HttpRequest, user_name: str) -> Attempt:
    """Count before the password is checked, so that simultaneous attempts keep to the limit. Raises TooManyAttempts."""
    digest = user_digest(user_name)
    browser = known_browser(request, digest)
    if browser:
        keys = [(SIGN_IN, f"user:{digest} browser:{browser}")]
    else:
        address = address_key(request)
        keys = [(SIGN_IN, f"user:{digest} {address}"), (SIGN_IN_ADDRESS, address)]
    counted: list[tuple[Limit, str, Usage]] = []
    for limit, who in keys:
        try:
            usage = count(limit, who)
        except CountersUnavailable as exc:
            request.META[WAIT_S] = RETRY_AFTER_S
            raise TooManyAttempts(RETRY_AFTER_S) from exc
        counted.append((limit, who, usage))
        if usage.is_exceeded:
            # No password was checked: nothing of this attempt counts.
            Attempt(digest, tuple(counted)).refund()
            request.META[WAIT_S] = usage.retry_after_s
            logger.info("sign-in throttled", limit=limit.name, wait_s=usage.retry_after_s)
            raise TooManyAttempts(usage.retry_after_s)
    return Attempt(digest, tuple(counted))


def check_old_password(request: HttpRequest, user: User, password: str) -> None:
    """For pages that take the password of who is signed in already. Raises TooManyAttempts."""
    attempt = begin_attempt(request, user.get_username())
    if user.check_password(password):
        attempt.refund()


def user_digest(user_name: str) -> str:
    """A user name as it is counted: spellings of it that look alike are one."""
    normal = unicodedata.normalize("NFKC", user_name).strip().casefold()
    return hashlib.sha256(normal.encode("utf-8", "replace")).hexdigest()[:32]


def known_browser(request: HttpRequest, digest: str) -> str:
    """The id of a browser that has signed in as this user before, else empty."""
    try:
        cookie = signing.loads(request.COOKIES.get(KNOWN_BROWSER, ""), salt=KNOWN_BROWSER, max_age=KNOWN_FOR_S)
    except signing.BadSignature:
        return ""
    return str(cookie["browser"]) if cookie["user"] == digest else ""


def remember_browser(request: HttpRequest, response: HttpResponse, digest: str) -> None:
    browser = known_browser(request, digest) or secrets.token_urlsafe(12)
    response.set_cookie(
        KNOWN_BROWSER,
        signing.dumps({"user": digest, "browser": browser}, salt=KNOWN_BROWSER),
        max_age=KNOWN_FOR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def describe_wait(seconds: float) -> str:
    """`1 second`, `40 seconds`, `2 minutes`, `3 hours`: rounded up, so that the wait is never too short."""
    whole = max(1, math.ceil(seconds))
    if whole > 1.5 * 3600:
        number = math.ceil(whole / 3600)
        text = ngettext("%(number)s hour", "%(number)s hours", number)
    elif whole > 1.5 * 60:
        number = math.ceil(whole / 60)
        text = ngettext("%(number)s minute", "%(number)s minutes", number)
    else:
        number = whole
        text = ngettext("%(number)s second", "%(number)s seconds", number)
    return text % {"number": number}
