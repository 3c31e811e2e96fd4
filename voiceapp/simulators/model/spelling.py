"""Written names as spoken words: lower case, no accents, numbers spelled out."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SYMBOLS = {"&": " and ", "+": " plus ", "%": " percent ", "@": " at ", "’": "'"}


def spelled(number: int) -> str:
    """0 to 999 in words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    rest = number % 100
    return f"{_ONES[number // 100]} hundred" + (f" {spelled(rest)}" if rest else "")


NUMBERS = {spelled(number): number for number in range(1, 21)}


@lru_cache(maxsize=8192)
def spoken(name: str) -> str:
    """`Jalapeño Poppers №7 & Dip` → `jalapeno poppers no seven and dip`."""
    for symbol, word in _SYMBOLS.items():
        name = name.replace(symbol, word)
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    plain = re.sub(r"\d+", lambda found: f" {spelled(int(found[0]))} " if len(found[0]) < 4 else " ", plain)
    return " ".join(word.strip("'") for word in re.findall(r"[a-z']+", plain) if word.strip("'"))


def plural(phrase: str) -> str:
    if phrase.endswith(("ss", "sh", "ch", "x", "z")):
        return f"{phrase}es"
    if phrase.endswith("s"):
        return phrase
    if phrase.endswith("y") and len(phrase) > 1 and phrase[-2] not in "aeiou":
        return f"{phrase[:-1]}ies"
    return f"{phrase}s"


def singular(phrase: str) -> str:
    if phrase.endswith("ies") and len(phrase) > 4:
        return f"{phrase[:-3]}y"
    if phrase.endswith(("sses", "shes", "ches", "xes")):
        return phrase[:-2]
    if phrase.endswith("s") and not phrase.endswith("ss"):
        return phrase[:-1]
    return phrase


def transcript_of(heard: str) -> str:
    """A recognized sentence with capitals and punctuation."""
    if not heard:
        return ""
    sentence = re.sub(r"\bi(?=$|[ '])", "I", heard)
    is_question = re.match(r"(what|how|when|where|can|could|may|do|does|are|is)\b", heard)
    return f"{sentence[0].upper()}{sentence[1:]}{'?' if is_question else '.'}"
