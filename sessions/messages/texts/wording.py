"""What a text says: templates with placeholders in braces, and facts written as a language writes them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from string import Formatter

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.numberformat import format as format_number
from django.utils.translation import gettext

from voiceapp.core.plain_text import one_line

from .kinds import DEFAULTS, EXAMPLES, LONGEST_BODY, PLACEHOLDERS, TextKind

NAME = re.compile(r"[a-z_]+")
# So that a long order stays a text of a few segments.
LONGEST_ITEMS = 300
DATES = {"en": "l, F j", "de": "l, j. F", "es": "l, j \\d\\e F", "fr": "l j F", "it": "l j F"}
TIMES = {"en": "g:i A"}
COMMA = {"de", "es", "fr", "it"}


def validate_template(kind: TextKind, body: str) -> None:
    """Accept placeholders of that kind only; raises ValidationError that names the others and those there are."""
    names = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS[kind])
    try:
        used = list(_placeholders(body))
    except ValueError as exc:
        raise ValidationError(
            gettext("Write placeholders in one pair of braces. This text may have %(names)s.") % {"names": names}
        ) from exc
    unknown = [name for name in used if name not in PLACEHOLDERS[kind]]
    if unknown:
        raise ValidationError(
            gettext("“%(placeholder)s” is not known here. This text may have %(names)s.")
            % {"placeholder": f"{{{unknown[0]}}}", "names": names}
        )
    if len(body) > LONGEST_BODY:
        raise ValidationError(gettext("A text has at most %(most)s characters.") % {"most": LONGEST_BODY})


def _placeholders(body: str) -> Iterator[str]:
    """The names in braces; raises ValueError for anything but a name."""
    for _, name, spec, conversion in Formatter().parse(body):
        if name is None:
            continue
        if spec or conversion or not NAME.fullmatch(name):
            raise ValueError(name)
        yield name


def render(kind: TextKind, body: str, facts: Mapping[str, object]) -> str:
    """The template with the facts in their places; a placeholder without a fact is left out. Cut to what fits."""
    known = {name: one_line(str(facts.get(name, ""))) for name in PLACEHOLDERS[kind]}
    text = body.format_map(known)
    return text if len(text) <= LONGEST_BODY else f"{text[: LONGEST_BODY - 3]}..."


def default_body(kind: TextKind, language: str) -> str:
    return DEFAULTS.get(language, DEFAULTS["en"])[kind]


def preview(kind: TextKind, body: str, *, name: str) -> str:
    """The text with example facts."""
    return render(kind, body, {**EXAMPLES, "name": name})


def date_words(at: dt.datetime, language: str) -> str:
    """The date of a local time: “Thursday, December 3”, “Donnerstag, 3. Dezember”."""
    with translation.override(language):
        words = format_date(at, DATES.get(language, DATES["en"]))
    return words if language in ("en", "de") else words.lower()


def time_words(at: dt.datetime, language: str) -> str:
    """“9:30 AM”, “09:30”."""
    with translation.override(language):
        return format_date(at, TIMES.get(language, "H:i"))


def money_words(amount: Decimal, currency: str, language: str) -> str:
    """“29.00 EUR”, “29,00 EUR”."""
    # Not by Django's formats of the language: the console writes numbers with a point in each.
    return f"{format_number(amount, ',' if language in COMMA else '.', 2)} {currency}"


def items_words(items: list[str]) -> str:
    """“2 x large Margherita, 1 x Tiramisu”, and how many more there are where that is long."""
    words = ""
    for index, item in enumerate(items):
        longer = f"{words}, {item}" if words else item
        if len(longer) > LONGEST_ITEMS and words:
            return f"{words}, +{len(items) - index}"
        words = longer
    return words[:LONGEST_ITEMS]
