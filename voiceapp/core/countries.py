"""Countries: names, and the country of a time zone or currency. Data: IANA's tables, in tzdata."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from importlib.resources import files

import phonenumbers

# Currencies of a single country: not the euro.
CURRENCIES = {
    "AED": "AE", "ARS": "AR", "AUD": "AU", "BGN": "BG", "BRL": "BR", "CAD": "CA", "CHF": "CH", "CLP": "CL",
    "CNY": "CN", "COP": "CO", "CZK": "CZ", "DKK": "DK", "EGP": "EG", "GBP": "GB", "HKD": "HK", "HUF": "HU",
    "IDR": "ID", "ILS": "IL", "INR": "IN", "ISK": "IS", "JPY": "JP", "KES": "KE", "KRW": "KR", "MAD": "MA",
    "MXN": "MX", "MYR": "MY", "NGN": "NG", "NOK": "NO", "NZD": "NZ", "PEN": "PE", "PHP": "PH", "PLN": "PL",
    "QAR": "QA", "RON": "RO", "RSD": "RS", "RUB": "RU", "SAR": "SA", "SEK": "SE", "SGD": "SG", "THB": "TH",
    "TRY": "TR", "TWD": "TW", "UAH": "UA", "USD": "US", "UYU": "UY", "VND": "VN", "ZAR": "ZA",
}  # fmt: skip


@functools.cache
def country_names() -> dict[str, str]:
    """English names by ISO 3166 code, sorted by name: the countries whose phone numbers we can parse."""
    known = {code: name for code, name in _countries().items() if code in phonenumbers.SUPPORTED_REGIONS}
    return dict(sorted(known.items(), key=lambda each: each[1]))


def is_country(code: str) -> bool:
    """Whether the code is in ISO 3166."""
    return code in _countries()


def country_of(time_zone: str, currency: str = "") -> str:
    """The ISO 3166 code of the zone's country, else of the currency's; empty if neither has one."""
    return _zones().get(time_zone) or CURRENCIES.get(currency, "")


@functools.cache
def _countries() -> dict[str, str]:
    return {code: name for code, name, *_ in (line.split("\t") for line in _table("iso3166.tab"))}


@functools.cache
def _zones() -> dict[str, str]:
    """The country of each zone; IANA's old names (US/Eastern) have the country of their current zone."""
    zones = {zone: code for code, _, zone, *_ in (line.split("\t") for line in _table("zone.tab"))}
    links = [line.split() for line in _table("tzdata.zi") if line.startswith("L ")]
    return {alias: zones[zone] for _, zone, alias in links if zone in zones} | zones


def _table(name: str) -> list[str]:
    text = files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


# Countries that pay in euros.
EURO = {
    "AD", "AT", "BE", "BG", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MC", "ME",
    "MT", "NL", "PT", "SI", "SK", "SM", "VA", "XK",
}  # fmt: skip


def currency_of(country: str) -> str:
    """The currency of a country; empty if these tables have none."""
    if country in EURO:
        return "EUR"
    return next((currency for currency, code in CURRENCIES.items() if code == country), "")


def zones_of(country: str) -> tuple[str, ...]:
    """The time zones of a country, the most populous first."""
    return tuple(line.split("\t")[2] for line in _table("zone.tab") if country and line.startswith(f"{country}\t"))


def zone_of(country: str) -> str:
    """The time zone of a country with the same time everywhere, summer and winter; empty for other countries."""
    zones = zones_of(country)
    days = (dt.datetime(2026, 1, 15, tzinfo=dt.UTC), dt.datetime(2026, 7, 15, tzinfo=dt.UTC))
    clocks = {tuple(day.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for day in days) for zone in zones}
    return zones[0] if len(clocks) == 1 else ""
