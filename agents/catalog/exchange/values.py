"""Reads the cells of a menu's file, and writes them. One that cannot be read raises ValueError with a sentence."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from decimal import Decimal

from django.utils.translation import gettext

from agents.catalog.allergens import ALLERGENS, NONE, in_order

YES = frozenset({"yes", "y", "true", "1", "x", "ja", "oui", "si", "sí"})
NO = frozenset({"", "no", "n", "false", "0", "nein", "non"})
LARGEST_PRICE = Decimal("999999.99")
LARGEST_NUMBER = 2_147_483_647  # a column of PostgreSQL
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?|\d{1,2}\.[A-Za-zäé]{3,}\.?")
PLAIN_PRICE = re.compile(r"(\d+)(?:[.,](\d{1,2}))?")
GROUPED_PRICE = re.compile(r"(\d{1,3}(?:([.,' ])\d{3})(?:\2\d{3})*)([.,])(\d{2})")
CURRENCY = re.compile(r"^(?:[A-Z]{3}|[€$£¥])\s*|\s*(?:[A-Z]{3}|[€$£¥])$")
TIME_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M")


def read_price(text: str) -> Decimal | None:
    """9.50, 9,50, 9.5, € 9,50, 1.234,50 and 1,234.50; None where it is empty."""
    plain = CURRENCY.sub("", text.replace("\u00a0", " ").replace("\u202f", " ").strip()).strip()
    if not plain:
        return None
    if DATE.fullmatch(plain):
        raise ValueError(
            gettext("The spreadsheet made a date of this price. Format the cell as a number and type it again.")
        )
    price: Decimal | None = None
    if found := PLAIN_PRICE.fullmatch(plain):
        price = Decimal(f"{found[1]}.{found[2] or 0}")
    elif (found := GROUPED_PRICE.fullmatch(plain)) and found[2] != found[3]:
        price = Decimal(f"{re.sub(r'[^0-9]', '', found[1])}.{found[4]}")
    if price is None:
        raise ValueError(
            gettext("“%(text)s” is no price. Write it like 9.50 or 9,50, without a minus.") % {"text": text[:30]}
        )
    if price > LARGEST_PRICE:
        raise ValueError(gettext("The price is above %(largest)s. Type a smaller one.") % {"largest": LARGEST_PRICE})
    return price.quantize(Decimal("0.01"))


def read_number(text: str) -> int | None:
    """A whole number; None where it is empty."""
    plain = text.strip().removesuffix(".0").removesuffix(",0")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 10 or int(plain) > LARGEST_NUMBER:
        raise ValueError(gettext("“%(text)s” is no whole number. Write it like 12.") % {"text": text[:30]})
    return int(plain)


def read_flag(text: str) -> bool:
    plain = text.strip().casefold()
    if plain not in YES | NO:
        raise ValueError(
            gettext("“%(text)s” is neither yes nor no. Write yes, or leave it empty.") % {"text": text[:30]}
        )
    return plain in YES


def read_list(text: str) -> tuple[str, ...]:
    """What is separated by semicolons, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def read_allergens(text: str) -> tuple[str, ...]:
    named = [part.strip().casefold() for part in re.split(r"[;,]", text) if part.strip()]
    unknown = next((each for each in named if each not in ALLERGENS and each != NONE), None)
    if unknown is not None:
        raise ValueError(
            gettext("“%(text)s” is no allergen. Use these: %(allergens)s, or %(none)s.")
            % {"text": unknown[:30], "allergens": ", ".join(ALLERGENS), "none": NONE}
        )
    if NONE in named and len(set(named)) > 1:
        raise ValueError(gettext("Write “%(none)s” alone, or the allergens without it.") % {"none": NONE})
    return tuple(in_order(named))


def read_time(text: str, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """A time on the organization's clock; None where it is empty."""
    plain = text.strip()
    if not plain:
        return None
    for pattern in TIME_FORMATS:
        try:
            return dt.datetime.strptime(plain, pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    raise ValueError(gettext("“%(text)s” is no time. Write it like 2026-12-24 17:00.") % {"text": text[:30]})


def write_value(value: object, zone: zoneinfo.ZoneInfo) -> str:
    """As it stands in a file; what was read from this text is equal."""
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case Decimal():
            return f"{value:.2f}"
        case dt.datetime():
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
        case tuple():
            return "; ".join(map(str, value))
    return str(value)
