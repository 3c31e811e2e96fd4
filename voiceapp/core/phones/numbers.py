"""Phone numbers: parsed as people type them, stored as E.164, shown formatted; and callers as carriers report them.

The one definition of the E.164 form, of numbers that may be dialed, and of withheld numbers.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

# Never dialed, whatever is configured: they are expensive or reach no person.
REFUSED_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
}
# ITU-T E.164: a plus, a country code that does not begin with 0, at most 15 digits in all.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST_TYPED = 40
# What Twilio sends for a withheld number: words as phone keys, or words.
HIDDEN_NUMBERS = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+8662533"})
HIDDEN_WORDS = frozenset({"", "anonymous", "restricted", "unavailable", "unknown", "private", "blocked", "withheld"})
WITHHELD = "withheld"


def is_e164(text: str) -> bool:
    return E164.fullmatch(text) is not None


def validate_e164(number: str) -> None:
    """Accept only E.164: a plus, the country code, digits."""
    if not is_e164(number):
        raise ValidationError(gettext("Write the number with a plus and the country code, like +4930123456."))


def validate_dialable(number: str) -> None:
    """Accept only numbers that may be dialed: valid, and without special charges for the calling side."""
    validate_e164(number)
    parsed = _parsed(number, "")
    satellite = number.startswith(("+870", "+881", "+882", "+883", "+979"))
    if parsed is None or satellite or number in HIDDEN_NUMBERS or not phonenumbers.is_possible_number(parsed):
        raise ValidationError(gettext("This number cannot be called. Use an ordinary fixed or mobile number."))
    if phonenumbers.number_type(parsed) in REFUSED_TYPES:
        raise ValidationError(
            gettext("Premium, shared-cost and personal numbers cannot be called. Use an ordinary number.")
        )


def is_dialable(number: str) -> bool:
    try:
        validate_dialable(number)
    except ValidationError:
        return False
    return True


def country_codes(number: str) -> set[str]:
    """The country of an E.164 number (ISO 3166). Where its digits name none: the calling code, like `+1`."""
    parsed = _parsed(number, "")
    if parsed is None:
        return set()
    return {phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}"}


def is_landline(number: str) -> bool:
    """Whether the number is known to be a landline. Where landlines and mobile phones look alike, it is not."""
    parsed = _parsed(number, "")
    return parsed is not None and phonenumbers.number_type(parsed) == PhoneNumberType.FIXED_LINE


def read_number(typed: str, *, region: str = "") -> str:
    """E.164 of what a person typed, in any notation; without a country code it is a number of the region (ISO 3166).

    Raises ValidationError with an example.
    """
    # Address books put invisible direction marks around a number.
    text = "".join(each for each in typed if unicodedata.category(each) != "Cf").strip().removeprefix("tel:")
    if any(character.isalpha() for character in text):
        raise ValidationError(
            gettext("Write the number in digits, without letters or an extension, like %(example)s.")
            % {"example": example(region)}
        )
    # Without a region the international prefix is unknown; 00 is the most common.
    parsed = _parsed(f"+{text[2:]}" if not region and text.startswith("00") else text, region)
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise ValidationError(
            gettext("This is not a complete phone number. Write it like %(example)s.") % {"example": example(region)}
        )
    if not _names_country(text) and not _is_whole(text, parsed):
        raise ValidationError(
            gettext("Write the number with its area code, like %(example)s.") % {"example": example(region)}
        )
    number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    validate_e164(number)
    return number


def example(region: str = "") -> str:
    """An example of a number in that region."""
    number = phonenumbers.example_number(region) if region else None
    if number is None:
        return "+49 30 123456"
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return f"{national} or {phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)}"


def show_number(number: str) -> str:
    """A number, or what a carrier sent instead, formatted for people: `+49 30 5550199`."""
    return read_caller(number).label


def mask(number: str) -> str:
    """The number for logs and lists: only the last two digits."""
    return f"…{number[-2:]}" if len(number) > 4 else "…"


class CallerKind(enum.Enum):
    """Kinds of a carrier's `From` and `To`."""

    NUMBER = enum.auto()
    HIDDEN = enum.auto()
    WHATSAPP = enum.auto()
    SIP = enum.auto()
    CLIENT = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True, slots=True)
class Caller:
    """`number` is E.164 if the person can be called back, else empty. `label` is for people."""

    kind: CallerKind
    number: str
    label: str


def read_caller(text: str) -> Caller:
    """The caller in `From`: a number, a withheld one, `sip:…`, `client:…`, `whatsapp:…` (protocols.md, A1)."""
    plain = text.strip()
    scheme, _, rest = plain.partition(":")
    if is_e164(plain) and plain not in HIDDEN_NUMBERS:
        return Caller(CallerKind.NUMBER, plain, _formatted(plain))
    if plain.lower() in HIDDEN_WORDS or plain in HIDDEN_NUMBERS:
        return Caller(CallerKind.HIDDEN, "", WITHHELD)
    match scheme.lower():
        case "whatsapp" if is_e164(rest) and rest not in HIDDEN_NUMBERS:
            return Caller(CallerKind.WHATSAPP, rest, f"{_formatted(rest)} (WhatsApp)")
        case "sip" | "sips":
            user = rest.partition("@")[0].partition(";")[0]
            number = user if is_dialable(user) else ""
            address = rest.partition(";")[0]
            return Caller(CallerKind.SIP, number, f"{_formatted(number)} (SIP)" if number else f"SIP {address}")
        case "client":
            return Caller(CallerKind.CLIENT, "", gettext("app user %(rest)s") % {"rest": rest})
    return Caller(CallerKind.OTHER, "", plain)


def _formatted(number: str) -> str:
    parsed = _parsed(number, "")
    return number if parsed is None else phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region or None)
    except NumberParseException:
        return None


def _names_country(text: str) -> bool:
    return text.lstrip("( ").startswith(("+", "＋", "00", "011"))


def _is_whole(text: str, parsed: phonenumbers.PhoneNumber) -> bool:
    """Valid, and with the 0 of its area code if its country has one: otherwise it may be a number of any town."""
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    digits = phonenumbers.normalize_digits_only(text)
    return phonenumbers.is_valid_number(parsed) and (not national.startswith("0") or digits.startswith("0"))
