"""German words of days and times as the English ones that the readers know: “übermorgen um halb zehn”.

The model is to pass on English; one that talks German may pass on what it heard. What is not known stays German, and is
not understood.
"""

from __future__ import annotations

import re

_ASCII = {"ae": "ä", "oe": "ö", "ue": "ü"}
# The stems of days and times that are often written without umlauts.
_WITHOUT_UMLAUT = re.compile(r"\b(?:ueber|naechst|maerz|frueh|jaenner|moeglich)|fuenf|zwoelf")
WEEKDAYS = {
    "montag": "monday", "dienstag": "tuesday", "mittwoch": "wednesday", "donnerstag": "thursday", "freitag": "friday",
    "samstag": "saturday", "sonnabend": "saturday", "sonntag": "sunday",
}  # fmt: skip
MONTHS = {
    "januar": "january", "jänner": "january", "februar": "february", "märz": "march", "mai": "may", "juni": "june",
    "juli": "july", "oktober": "october", "dezember": "december",
}  # fmt: skip
PARTS = {
    "morgen": "morning", "früh": "morning", "vormittag": "forenoon", "mittag": "lunchtime", "nachmittag": "afternoon",
    "abend": "evening", "nacht": "night",
}  # fmt: skip
_UNITS = ("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
          "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn")  # fmt: skip
_TENS = {"zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50}
NUMBERS = (
    {word: number for number, word in enumerate(_UNITS)}
    | {"eins": 1, "eine": 1, "einer": 1, "einem": 1, "einen": 1, "zwo": 2}
    | _TENS
    | {f"{unit}und{tens}": value + number for number, unit in enumerate(_UNITS[:10]) if number
       for tens, value in _TENS.items()}
)  # fmt: skip
# “vierten”, “zwanzigsten”; the first, third, seventh and eighth are irregular.
ORDINALS = {f"{word}t": number for word, number in NUMBERS.items() if number < 20} | {
    f"{word}st": number for word, number in NUMBERS.items() if number >= 20
} | {"erst": 1, "dritt": 3, "siebt": 7, "acht": 8}  # fmt: skip
WORDS = {
    "heute": "today", "übermorgen": "the day after tomorrow", "mitternacht": "midnight", "wochenende": "weekend",
    "woche": "week", "wochen": "weeks", "tag": "day", "tage": "days", "tagen": "days", "monat": "month",
    "monaten": "months", "am": "on", "im": "in", "um": "at", "gegen": "around", "etwa": "around", "ca": "around",
    "ungefähr": "around", "ab": "from", "vor": "before", "nach": "after", "bis": "until", "zum": "the",
    "zwischen": "between", "von": "from", "und": "and", "oder": "or", "bitte": "please", "der": "the", "die": "the",
    "das": "the", "den": "the", "dem": "the", "irgendwann": "anytime", "termin": "appointment", "gern": "please",
    "gerne": "please", "ich": "", "uhr": "", "jetzt": "now",
}  # fmt: skip

_WEEKDAY, _PART = "|".join(WEEKDAYS), "|".join(PARTS)
_NEXT = r"(?:nächste|kommende)[nrsm]?"
# In this order, before the single words.
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"\b(?:so (?:bald|früh|schnell) wie möglich|möglichst (?:bald|früh)|baldmöglichst)\b", "as soon as possible"),
    (rf"\b({_WEEKDAY})({_PART})s?\b", r"\1 \2"),
    (rf"\bheute ({_PART})\b", r"this \1"),
    (rf"\bmorgen ({_PART})\b", r"tomorrow \1"),
    # After a day, and with “am”, it is the morning; alone the next day.
    (rf"\b(am|jeden|{_WEEKDAY}) morgen\b", r"\1 morning"),
    (r"\bmorgens\b", "morning"),
    (r"\bmorgen\b", "tomorrow"),
    (r"\bübernächste[rn]? woche\b", "the week after next"),
    (rf"\bübernächste[nrsm]? ({_WEEKDAY})\b", r"\1 of the week after next"),
    (rf"\bkommende[nrsm]? ({_WEEKDAY})\b", r"coming \1"),
    (rf"\b{_NEXT}\b", "next"),
    (r"\bdiese[nrsm]?\b", "this"),
    (r"\bhalb (\d{1,2})\b", r"half \1"),
    (r"\bviertel nach (\d{1,2})\b", r"quarter past \1"),
    (r"\b(?:viertel vor|dreiviertel) (\d{1,2})\b", r"quarter to \1"),
    (r"\b(\d{1,2})(?: minuten)? nach (\d{1,2})\b", r"\1 past \2"),
    (r"\b(\d{1,2})(?: minuten)? vor (\d{1,2})\b", r"\1 minutes to \2"),
    (r"\b(\d{1,2}) uhr (\d{1,2})\b(?! (?:uhr|vor|nach))", r"\1:0\2"),
    (r"\b(\d{1,2})\.(\d\d) uhr\b", r"\1:\2"),
    (r"\b(\d{1,2}):0(\d\d)\b", r"\1:\2"),
    # “4. Dezember”, “am 4.”, and not “4.12.”
    (r"(?<![.\d])(\d{1,2})\.(?=\s|$)(?! ?\d)", r"\1th"),
)
_RULES = tuple((re.compile(pattern), replacement) for pattern, replacement in _PHRASES)
_WORD = re.compile(r"[a-zäöüß]+")


def in_english(said: str) -> str:
    """The same wish, of lower-case words without commas, with what is German of it in English."""
    text = _WITHOUT_UMLAUT.sub(lambda found: re.sub("ae|oe|ue", lambda each: _ASCII[each[0]], found[0]), said)
    text = _WORD.sub(_number, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = re.sub(r"\bhalf (\d{1,2})\b", _half, text)
    return " ".join(_WORD.sub(_word, text).split())


def _number(found: re.Match[str]) -> str:
    word = found[0]
    if word in NUMBERS:
        return str(NUMBERS[word])
    stem = re.sub(r"e[nr]?$", "", word)
    return f"{ORDINALS[stem]}th" if stem != word and stem in ORDINALS else word


def _half(found: re.Match[str]) -> str:
    """“halb zehn” is half past nine."""
    hour = int(found[1])
    return f"{hour - 1 or 12}:30"


def _word(found: re.Match[str]) -> str:
    word = found[0]
    for known in (WORDS, WEEKDAYS, MONTHS, PARTS):
        if (english := known.get(word, known.get(word.removesuffix("s")) if known is not WORDS else None)) is not None:
            return english
    return word
