"""Setting up a second factor, checking its codes, and taking it away."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import quote, urlencode

import segno
import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.oath import TOTP

from agents.organizations.auditing import record_event
from agents.organizations.models import Membership
from agents.organizations.sign_in import describe_wait
from voiceapp.core.errors import ApplicationError
from voiceapp.core.limits.counting import CountersUnavailable, count, refund
from voiceapp.core.limits.limit import SECOND_FACTOR
from voiceapp.core.secret_box import SealBroken

from .models import RecoveryCode, TwoFactor

logger = structlog.get_logger("second_factor")

ISSUER = "voiceapp"
SECRET_BYTES = 20
# A phone's clock may be off by one step of 30 s.
TOLERANCE = 1
DIGITS = 6
CODES = 10
CODE_LENGTH = 16
# Without characters that look alike.
CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class WrongCode(ApplicationError):
    """It is not the code, or it was used already."""


class TooManyCodes(ApplicationError):
    """The code was not looked at."""


def factor_of(user: User) -> TwoFactor | None:
    """One that was confirmed."""
    return TwoFactor.objects.filter(user=user, confirmed_at__isnull=False).first()


def begin_set_up(user: User) -> TwoFactor:
    """The secret to scan: the same until a code has confirmed it. Raises ApplicationError where there is one."""
    factor = TwoFactor.objects.filter(user=user).first()
    if factor is not None and factor.confirmed_at is None and not _is_readable(factor):
        factor.delete()
        factor = None
    if factor is None:
        fresh = TwoFactor(user=user)
        fresh.secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
        factor, _is_new = TwoFactor.objects.get_or_create(user=user, defaults={"sealed_secret": fresh.sealed_secret})
    if factor.confirmed_at is not None:
        raise ApplicationError(_("Two-factor sign-in is set up already."))
    return factor


def confirm_set_up(factor: TwoFactor, code: str) -> list[str]:
    """The recovery codes, to be shown once. Raises WrongCode and TooManyCodes."""
    _check(factor, code, takes_recovery_codes=False)
    with transaction.atomic():
        unconfirmed = TwoFactor.objects.filter(pk=factor.pk, confirmed_at=None)
        if not unconfirmed.update(confirmed_at=timezone.now()):
            raise WrongCode(_("Two-factor sign-in was set up in another window. Sign in again."))
        codes = _make_recovery_codes(factor)
        _record(factor.user, _("off"), _("on"))
    return codes


def check_code(factor: TwoFactor, code: str) -> None:
    """Of the app, or one of the recovery codes; each works once. Raises WrongCode and TooManyCodes."""
    _check(factor, code, takes_recovery_codes=True)


def renew_recovery_codes(factor: TwoFactor, code: str) -> list[str]:
    """The ones before work no longer. Raises WrongCode and TooManyCodes."""
    check_code(factor, code)
    with transaction.atomic():
        codes = _make_recovery_codes(factor)
        _record(factor.user, _("recovery codes"), _("new recovery codes"))
    return codes


def turn_off(factor: TwoFactor, code: str) -> None:
    """By its owner. Raises WrongCode and TooManyCodes."""
    check_code(factor, code)
    reset(factor.user)


@transaction.atomic
def reset(user: User) -> bool:
    """Take the factor away: the user signs in with the password alone, and may set up another. False: had none."""
    had_one = factor_of(user) is not None
    TwoFactor.objects.filter(user=user).delete()
    if had_one:
        _record(user, _("on"), _("off"))
    return had_one


def setup_address(factor: TwoFactor) -> str:
    """What an authenticator app reads."""
    label = quote(f"{ISSUER}:{factor.user.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': factor.secret, 'issuer': ISSUER})}"


def qr_code(text: str, *, title: str) -> str:
    """An SVG without scripts and styles, on white also where the page is dark."""
    drawn: str = segno.make(text, error="m").svg_inline(scale=5, light="#fff", svgclass="va-qr", title=title)
    return drawn


def _check(factor: TwoFactor, code: str, *, takes_recovery_codes: bool) -> None:
    client = f"user:{factor.user_id}"
    try:
        usage = count(SECOND_FACTOR, client)
    except CountersUnavailable as exc:
        raise TooManyCodes(_("Codes cannot be checked now. Try again in a few seconds.")) from exc
    if usage.is_exceeded:
        wait = describe_wait(usage.retry_after_s)
        raise TooManyCodes(_("Too many wrong codes. Try again in %(wait)s.") % {"wait": wait})
    typed = "".join(code.split()).replace("-", "").lower()
    if not _takes(factor, typed) and not (takes_recovery_codes and _takes_recovery_code(factor, typed)):
        raise WrongCode(_("This is not the current code, or it was used already. Wait for the next one and enter it."))
    refund(SECOND_FACTOR, client, usage)


def _takes(factor: TwoFactor, typed: str) -> bool:
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return False
    if not _is_readable(factor):
        return False  # a recovery code still works
    clock = TOTP(base64.b32decode(factor.secret), digits=DIGITS)
    if not clock.verify(int(typed), tolerance=TOLERANCE, min_t=factor.last_step + 1):
        return False
    # Guarded: of two requests with one code, one gets in.
    unused = TwoFactor.objects.filter(pk=factor.pk, last_step__lt=clock.t())
    return bool(unused.update(last_step=clock.t()))


def _is_readable(factor: TwoFactor) -> bool:
    """False where none of the secret keys opens it."""
    try:
        return bool(factor.secret)
    except SealBroken:
        logger.warning("second factor sealed with an unknown key", user_id=factor.user_id)
        return False


def _takes_recovery_code(factor: TwoFactor, typed: str) -> bool:
    if len(typed) != CODE_LENGTH:
        return False
    unused = RecoveryCode.objects.filter(two_factor=factor, sha256=_digest(typed))
    return bool(unused.delete()[0])


def _make_recovery_codes(factor: TwoFactor) -> list[str]:
    RecoveryCode.objects.filter(two_factor=factor).delete()
    plain = ["".join(secrets.choice(CHARACTERS) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(two_factor=factor, sha256=_digest(code)) for code in plain)
    return ["-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4)) for code in plain]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _record(user: User, old: str, new: str) -> None:
    """In the log of each organization that the user works for."""
    for membership in Membership.objects.filter(user=user):
        record_event(membership, "two_factor", old=old, new=new)
