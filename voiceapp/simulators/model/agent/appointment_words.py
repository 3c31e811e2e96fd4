"""What a caller says about an appointment: the service, the day and time in the caller's words, name and car."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from voiceapp.simulators.model.agent.menu import PromptMenu
from voiceapp.simulators.model.recognition.name_lists import people_and_cars
from voiceapp.simulators.model.spelling import spoken

_WEEKDAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_HOURS = {
    word: number
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_HOUR = f"(?:{'|'.join(_HOURS)})"
_MINUTES = {"fifteen": 15, "thirty": 30, "forty five": 45}
_PART = "(?:morning|afternoon|evening|lunchtime)"
_CLOCK = (
    rf"(?:{_HOUR} (?:fifteen|thirty|forty five)(?: [ap] m)?|{_HOUR} [ap] m|{_HOUR} o'clock|half past {_HOUR}|"
    rf"quarter (?:past|to) {_HOUR}|noon|(?:(?:at|around|after|before) ){_HOUR}(?= |$)|"
    rf"{_HOUR}(?= (?:works|is|sounds|suits)|$))"
)
_TIMES = (rf"\b(?:in the )?{_PART}\b", rf"\b(?:(?:at|around|after|before) )?{_CLOCK}")
_CHOICES = {"first": 0, "earlier": 0, "second": 1, "third": 2, "last": -1, "later": -1}

_CLAIMS = {
    "wants_to_book": r"\b(?:book|make|schedule|arrange|an appointment|need|come in|bring my car)\b",
    "wants_to_move": r"\b(?:move|change|reschedule|postpone|make it)\b",
    "wants_to_cancel": r"\bcancel\b|\bi (?:can't|cannot) come\b",
    "asks_for_own": r"\b(?:when is my|do i have an|what time is my|am i booked|do i have to come)\b",
    "asks_about_service": r"\b(?:how (?:much|long)|price|what does|services|do you (?:do|offer))\b",
    "agrees": r"\b(?:that|it) (?:works|suits me|(?:is|would be|sounds) (?:fine|good|great|perfect|okay))\b",
}


@dataclass(frozen=True, slots=True)
class AppointmentWords:
    """Each is empty if the caller said nothing of it. `ordinal`: which of the offered times; -1 is the last."""

    service: str = ""
    when: str = ""
    day: str = ""  # of `when`
    ordinal: int | None = None
    name: str = ""
    vehicle: str = ""
    wants_to_book: bool = False
    wants_to_move: bool = False
    wants_to_cancel: bool = False
    asks_for_own: bool = False
    asks_for_other_times: str = ""  # earlier, later or else
    asks_about_service: bool = False
    agrees: bool = False  # that works


def read_words(text: str, menu: PromptMenu) -> AppointmentWords:
    """`text` is a recognized sentence, or one that was typed."""
    said = spoken(text)
    service, about = _service(said, menu)
    name, rest = _name(about)
    vehicle, rest = _vehicle(rest)
    when, day, rest = _when(rest)
    return AppointmentWords(
        service=service,
        when=when,
        day=day,
        ordinal=_ordinal(rest),
        name=name,
        vehicle=vehicle,
        asks_for_other_times=_found(said, r"\b(?:something|anything) (earlier|later|else)\b"),
        **{claim: re.search(pattern, about) is not None for claim, pattern in _CLAIMS.items()},
    )


def clock_of(when: str) -> tuple[int, int] | None:
    """The hour (1 to 12) and the minute in the caller's words; None without a clock time."""
    if re.search(r"\bnoon\b", when):
        return 12, 0
    if found := re.search(rf"\b(half past|quarter past|quarter to) ({_HOUR})\b", when):
        hour = _HOURS[found[2]]
        minute = {"half past": 30, "quarter past": 15, "quarter to": 45}[found[1]]
        return (hour - 1 or 12 if minute == 45 else hour), minute
    found = re.search(rf"\b({_HOUR})(?: (fifteen|thirty|forty five))?(?: o'clock| [ap] m|$)", when)
    return (_HOURS[found[1]], _MINUTES.get(found[2] or "", 0)) if found else None


def _service(said: str, menu: PromptMenu) -> tuple[str, str]:
    forms = {spoken(form): service.name for service in menu.services for form in (service.name, *service.aliases)}
    for form in sorted(forms, key=len, reverse=True):
        if form and (found := re.search(rf"\b{re.escape(form)}s?\b", said)):
            return forms[form], _without(said, found)
    return "", said


def _name(said: str) -> tuple[str, str]:
    first, last = _any_of("FIRSTNAME"), _any_of("LASTNAME")
    introduction = r"(?:name is|name's|this is|it is|it's|i am|i'm|that's|under|for)"
    for pattern in (rf"\b({first}) ({last})\b", rf"\b{introduction} ({first}|{last})(?= |$)(?! {_any_of('MODEL')})",
                    rf"^({first}|{last})$"):  # fmt: skip
        if found := re.search(pattern, said):
            return " ".join(_written(each) for each in found.groups()), _without(said, found)
    return "", said


def _vehicle(said: str) -> tuple[str, str]:
    cars = "|".join(_any_of(name) for name in ("CAR", "VOWELCAR", "MAKE", "MODEL"))
    if found := re.search(rf"\b(?:({_any_of('COLOR')}) )?({cars})\b", said):
        return " ".join(each for each in (found[1], _written(found[2])) if each), _without(said, found)
    return "", said


def _when(said: str) -> tuple[str, str, str]:
    """The words of day and time, in order, for the server knows what they mean; those of the day; the rest."""
    days = [found.span() for found in re.finditer("|".join(_days()), said)]
    spans = sorted([*days, *(found.span() for found in re.finditer("|".join(_TIMES), said) if not _is_in(found, days))])
    rest = said
    for start, end in reversed(spans):
        rest = f"{rest[:start]} {rest[end:]}"
    whole, day = (" ".join(said[start:end].strip() for start, end in each) for each in (spans, days))
    return whole, day, " ".join(rest.split())


@lru_cache(maxsize=1)
def _days() -> tuple[str, ...]:
    month, number = _any_of("MONTH"), _any_of("DAYNUMBER")
    return (
        rf"\b{_WEEKDAY} in (?:two|three|four) weeks\b|\ba week from (?:{_WEEKDAY}|today)\b|\bin a week\b",
        r"\bin (?:two|three|four) (?:days|weeks)\b",
        rf"\bnext week(?: (?:on )?{_WEEKDAY})?\b|\bthis week\b",
        rf"\b(?:(?:next|this|the coming) )?{_WEEKDAY}\b|\bthe day after tomorrow\b|\btoday\b|\btomorrow\b",
        rf"\b{month} (?:the )?{number}\b|\b(?:the )?{number} of {month}\b",
        rf"\bthe (?!first|second|third){number}\b(?! one)",
        r"\bas soon as possible\b|\bthe next free (?:appointment|time)\b",
    )


def _is_in(found: re.Match[str], spans: list[tuple[int, int]]) -> bool:
    return any(start < found.end() and found.start() < end for start, end in spans)


def _ordinal(said: str) -> int | None:
    found = re.search(r"\b(first|second|third|last|earlier|later)(?: (?:one|time))?\b", said)
    if found is None or re.search(r"\b(?:something|anything) (?:earlier|later)\b", said):
        return None
    return _CHOICES[found[1]]


@lru_cache(maxsize=16)
def _any_of(list_name: str) -> str:
    forms = sorted((spoken(name) for name in people_and_cars()[list_name]), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, forms))})"


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    lists: Iterable[list[str]] = people_and_cars().values()
    return {spoken(name): name for names in lists for name in names}


def _written(form: str) -> str:
    return _spellings().get(form, form)


def _without(said: str, found: re.Match[str]) -> str:
    return " ".join(f"{said[: found.start()]} {said[found.end() :]}".split())


def _found(said: str, pattern: str) -> str:
    found = re.search(pattern, said)
    return found[1] if found else ""
