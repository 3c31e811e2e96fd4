"""Phone numbers: what may be rung, and how one is shown where nobody may read it."""

from __future__ import annotations

import phonenumbers
from django.core.exceptions import ValidationError
from phonenumbers import PhoneNumberType

# Never dialled, whatever was configured: they cost the caller's host dearly or reach no person.
REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
}


def validate_e164(number: str) -> None:
    """Accept a number as carriers write it: a plus, the country code, digits."""
    if not number.startswith("+") or not number[1:].isascii() or not number[1:].isdigit() or not 8 <= len(number) <= 16:
        raise ValidationError("Write the number with a plus and the country code, like +4930123456.")


def validate_dialable(number: str) -> None:
    """Accept only numbers that may be rung: valid, and of no type that bills the ringing side specially."""
    validate_e164(number)
    parsed = phonenumbers.parse(number)
    if number.startswith(("+870", "+881", "+882", "+883", "+979")) or not phonenumbers.is_possible_number(parsed):
        raise ValidationError("This number cannot be rung. Use an ordinary fixed or mobile number.")
    if phonenumbers.number_type(parsed) in REFUSED_TYPES:
        raise ValidationError("Premium, shared-cost and personal numbers cannot be rung. Use an ordinary number.")


def mask(number: str) -> str:
    """The number for logs and lists: only its last two digits."""
    return f"…{number[-2:]}" if len(number) > 4 else "…"
