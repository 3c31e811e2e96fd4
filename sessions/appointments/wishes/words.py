"""The words of days and times, and numbers written as words."""

from __future__ import annotations

import datetime as dt
import re

WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tues tue", "wednesday wed", "thursday thurs thur thu", "friday fri", "saturday sat",
         "sunday sun")
    )
    for name in names.split()
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
# From, to before.
PARTS = {
    "morning": (dt.time(5), dt.time(12)),
    "forenoon": (dt.time(5), dt.time(12)),
    "lunchtime": (dt.time(11, 30), dt.time(14)),
    "afternoon": (dt.time(12), dt.time(18)),
    "evening": (dt.time(17), dt.time(22)),
    "night": (dt.time(19), dt.time.max),
}
NAMED_TIMES = {"noon": dt.time(12), "midday": dt.time(12), "midnight": dt.time(0)}
# What may stand around days and times and says nothing more about them.
_FILLERS = """
a an the on at in of for to around about approximately roughly some sometime day days date time times o'clock please
maybe possibly preferably ideally early earliest late any anytime available free slot slots appointment next first
soonest soon asap as possible thing whenever works you have and or is it would be good best
"""
FILLERS = frozenset(_FILLERS.split())

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_ORDINALS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth
"""
NUMBERS = {word: number for number, word in enumerate(_NUMBERS.split())} | {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
ORDINALS = {word: number for number, word in enumerate(_ORDINALS.split(), start=1)} | {"thirtieth": 30}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_WORD = re.compile(r"[a-z]+")
_MONTH = f"(?:{'|'.join(MONTHS)})"
_DATED_FIRST = re.compile(
    rf"\bfirst (?:of )?{_MONTH}\b|\b{_MONTH} (?:the )?first\b|\b(?:twenty|thirty)[ -]first\b|\bon the first\b"
)


def with_digits(text: str) -> str:
    """“twenty first of december at nine thirty” as “21st of december at 9 30”."""
    # “First” is a date only beside a month: “the first of May”, but “first thing in the morning”.
    if not _DATED_FIRST.search(text):
        text = re.sub(r"\bfirst\b", " ", text)

    def compound(found: re.Match[str]) -> str:
        tens, rest = _TENS[found[1]], found[2]
        if rest in ORDINALS and ORDINALS[rest] < 10:
            return f"{tens + ORDINALS[rest]}th"
        if NUMBERS.get(rest, 0) in range(1, 10):
            return str(tens + NUMBERS[rest])
        return found[0]

    text = re.sub(rf"\b({'|'.join(_TENS)})[ -]([a-z]+)\b", compound, text)

    def single(found: re.Match[str]) -> str:
        word = found[0]
        if word in NUMBERS:
            return str(NUMBERS[word])
        return f"{ORDINALS[word]}th" if word in ORDINALS else word

    return _WORD.sub(single, text)
