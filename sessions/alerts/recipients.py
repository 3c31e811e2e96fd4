"""Who is notified of an alert: lists of addresses and numbers as people type them. Plain values: no models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

LONGEST_LIST = 400
MOST_EMAILS, MOST_NUMBERS = 5, 3


def listed(typed: str) -> list[str]:
    """What stands between commas, semicolons and line breaks, once each."""
    parts = typed.replace(";", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def validate_emails(typed: str) -> None:
    """Raises ValidationError that names the address it does not understand."""
    addresses = listed(typed)
    _check_count(addresses, MOST_EMAILS)
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as exc:
            raise ValidationError(
                _("“%(address)s” is not an e-mail address. Write it like ada@example.com."), params={"address": address}
            ) from exc


def read_numbers(typed: str, read: Callable[[str], str]) -> str:
    """The numbers as `read` understands each, separated by commas. Raises ValidationError that names the number."""
    numbers = listed(typed)
    _check_count(numbers, MOST_NUMBERS)
    return ", ".join(dict.fromkeys(_each(numbers, read)))


def _each(numbers: list[str], read: Callable[[str], str]) -> Iterator[str]:
    for number in numbers:
        try:
            yield read(number)
        except ValidationError as exc:
            raise ValidationError(
                _("“%(number)s”: %(why)s"), params={"number": number, "why": " ".join(exc.messages)}
            ) from exc


def _check_count(entries: list[str], most: int) -> None:
    if len(entries) > most:
        raise ValidationError(_("Enter at most %(most)s."), params={"most": most})
