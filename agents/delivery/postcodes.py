"""Postcodes as people write and say them, and how far two places are apart. Pure."""

from __future__ import annotations

import math
import re

LONGEST_POSTCODE = 12
EARTH_KM = 6371.0
BETWEEN = re.compile(r"[,;\s]+")


def plain(text: str) -> str:
    """“sw1a 1aa” as “SW1A1AA”: the same postcode is the same text."""
    return "".join(each for each in text.upper() if each.isalnum())


def patterns_of(text: str) -> list[str]:
    """What is listed in a zone; an asterisk at its end stands for whatever follows."""
    return [each for each in BETWEEN.split(text.strip()) if each]


def is_listed(postcode: str, listed: str) -> bool:
    """Whether a plain postcode is in the list."""
    for pattern in patterns_of(listed):
        begins = plain(pattern.removesuffix("*"))
        if begins and (postcode.startswith(begins) if pattern.endswith("*") else postcode == begins):
            return True
    return False


def distance_km(first: tuple[float, float], second: tuple[float, float]) -> float:
    """As the crow flies, between two pairs of latitude and longitude in degrees (haversine)."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, each)) for each in (first, second))
    a = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(a, 1.0)))
