"""How a name sounds, by the rules of a language's spelling; and how far two sounds are apart. No Django.

One character per sound. The rules are those of native words: names borrowed from another language are read as a speaker
would who has never heard them (docs/reference/menu-linter.md, “Limits”).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from agents.catalog.spoken.folding import fold, plain_text

Rules = Sequence[tuple[str, str]]
# S as in ship, Z as in measure, T as in thin, N as in sing, x as in Loch, @ as in butter; 9 and y as in œuf and rue;
# A, E, O are the nasal vowels of French. The first rule that fits at a place holds.
ENGLISH: Rules = (
    (r"tch", "tS"), (r"sch", "S"), (r"sh", "S"), (r"ch", "tS"), (r"ph", "f"), (r"th", "T"), (r"^wh", "w"), (r"ck", "k"),
    (r"^kn", "n"), (r"^wr", "r"), (r"igh", "aj"), (r"gh(?=[aeiou])", "g"), (r"gh", ""), (r"qu", "kw"), (r"x", "ks"),
    (r"ng", "N"), (r"cc(?=[ei])", "tS"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"q", "k"), (r"ge$", "dZ"), (r"j", "dZ"),
    (r"^y", "j"), (r"ies$", "ajs"), (r"i(?=[^aeiou]e$)", "aj"), (r"a(?=[^aeiour]e$)", "ej"), (r"o(?=[^aeiou]e$)", "ow"),
    (r"ee|ea|ie", "i"), (r"oo", "u"), (r"ou|ow", "aw"), (r"ai|ay|ei|ey", "ej"), (r"oi|oy", "oj"), (r"oa", "o"),
    (r"au|aw", "o"), (r"er|ir|ur", "@r"), (r"(?<=[^aeiou]{1})e$", ""), (r"y", "i"),
)  # fmt: skip
GERMAN: Rules = (
    (r"tsch", "tS"), (r"sch", "S"), (r"^st", "St"), (r"^sp", "Sp"), (r"chs", "ks"), (r"ch", "x"), (r"ck", "k"),
    (r"ph", "f"), (r"th", "t"), (r"qu", "kv"), (r"x", "ks"), (r"ng", "N"), (r"tz|zz|z", "ts"), (r"ei|ai|ay|ey", "aj"),
    (r"eu|äu", "oj"), (r"ie", "i"), (r"au", "aw"), (r"(?<=[aeiouäöü])h", ""), (r"c(?=[eiy])", "ts"), (r"c", "k"),
    (r"^s(?=[aeiouäöü])", "z"), (r"ß|ss", "s"), (r"v", "f"), (r"w", "v"), (r"ä", "e"), (r"ö", "9"), (r"ü|y", "y"),
    (r"er$", "a"), (r"e$", "@"), (r"en$", "@n"), (r"b$", "p"), (r"d$", "t"), (r"g$", "k"),
)  # fmt: skip
FRENCH: Rules = (
    (r"eau|au", "o"), (r"oi", "wa"), (r"ou", "u"), (r"œu|oeu|eu", "9"), (r"ill", "ij"), (r"ch", "S"), (r"gn", "nj"),
    (r"qu", "k"), (r"ph", "f"), (r"th", "t"), (r"h", ""), (r"(?:ain|ein|in|im)(?![aeiouéèmn])", "E"),
    (r"(?:an|am|en|em)(?![aeiouéèmn])", "A"), (r"(?:on|om)(?![aeiouéèmn])", "O"), (r"ai|ei|è|ê|é", "e"),
    (r"c(?=[eiyéè])|ç", "s"), (r"c", "k"), (r"g(?=[eiyéè])|j", "Z"), (r"gu(?=[ei])", "g"), (r"x(?!$)", "ks"),
    (r"(?:es|e|[tdspxz]{1,2})$", ""), (r"u", "y"), (r"y", "i"), (r"w", "v"),
)  # fmt: skip
SPANISH: Rules = (
    (r"ch", "tS"), (r"ll", "j"), (r"ñ", "nj"), (r"qu", "k"), (r"gu(?=[ei])", "g"), (r"c(?=[eiéí])|z", "s"), (r"c", "k"),
    (r"j|g(?=[eiéí])|x(?=ic)", "h"), (r"h", ""), (r"v", "b"), (r"y$", "i"), (r"y", "j"), (r"x", "ks"), (r"w", "w"),
)  # fmt: skip
ITALIAN: Rules = (
    (r"sch", "sk"), (r"ch", "k"), (r"gh", "g"), (r"gli", "li"), (r"gn", "nj"), (r"sci(?=[aou])|sc(?=[ei])", "S"),
    (r"ci(?=[aou])|c(?=[ei])", "tS"), (r"gi(?=[aou])|g(?=[ei])", "dZ"), (r"qu", "kw"), (r"zz|z", "ts"), (r"c", "k"),
    (r"h", ""), (r"ph", "f"), (r"y|j", "i"), (r"w", "v"), (r"x", "ks"),
)  # fmt: skip
# Of languages without rules here: spellings that most of them share.
OTHERS: Rules = (
    (r"sch|sh|ś|š|ș|ş", "S"), (r"ch|č|ć|ç|cz", "tS"), (r"ph", "f"), (r"ck|q", "k"), (r"c", "k"), (r"w", "v"),
    (r"y", "i"), (r"x", "ks"), (r"ß", "s"),
)  # fmt: skip
RULES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "it": ITALIAN}
COMPILED = {
    language: re.compile("|".join(f"({pattern})" for pattern, _ in rules))
    for language, rules in {**RULES, "": OTHERS}.items()
}

VOWELS = frozenset("aeiouy@9AEO")
NEAR_VOWELS = frozenset(map(frozenset, ("ie", "ea", "ao", "ou", "yi", "yu", "9e", "9o", "aA", "eE", "oO", "EA")))
# One class is made at the same place of the mouth: they differ in voice alone.
PAIRS = frozenset(map(frozenset, ("pb", "td", "kg", "fv", "sz", "SZ", "mn", "nN", "vw", "xk", "xh", "Tf", "Ts", "lr")))
MANNERS = ("ptk", "bdg", "fsSTxh", "vzZ", "mnN", "lrwj")
PAIR, SAME_MANNER, SAME_VOICE, NEAR_VOWEL, OTHER_VOWEL, WEAK, OTHER = 0.4, 0.6, 0.75, 0.4, 0.6, 0.5, 1.1
WEAK_SOUNDS = frozenset("h@wj")
VOICELESS = frozenset("ptkfsSTxh")
# Sounds that are taken for each other most easily, as one.
COARSE = str.maketrans({**dict.fromkeys("bp", "p"), **dict.fromkeys("dtT", "t"), **dict.fromkeys("gkxh", "k"),
                        **dict.fromkeys("vfw", "f"), **dict.fromkeys("zsSZ", "s"), **dict.fromkeys("mnN", "n"),
                        **dict.fromkeys("lr", "l"), **dict.fromkeys("ieyjE9", "i"), **dict.fromkeys("ouO", "o"),
                        **dict.fromkeys("a@A", "a")})  # fmt: skip


@lru_cache(maxsize=32768)
def phonemes(word: str, language: str) -> str:
    """The sounds of one word. `language` is a code like “de”; one without rules is read letter by letter."""
    known = language if language in RULES else ""
    rules, pattern = (RULES[known] if known else OTHERS), COMPILED[known]
    plain = "".join(character for character in plain_text(word) if character.isalnum())
    sounds: list[str] = []
    at = 0
    while at < len(plain):
        found = pattern.match(plain, at)
        if found and found.end() > at:
            sounds.append(rules[(found.lastindex or 1) - 1][1])
            at = found.end()
        else:
            sounds.append(fold(plain[at]))
            at += 1
    return re.sub(r"(.)\1+", r"\1", "".join(sounds))


def coarse(sounds: str) -> str:
    """Fewer sounds: what differs there differs clearly."""
    return sounds.translate(COARSE)


def distance(one: str, other: str) -> float:
    """0 for the same sounds, 1 for nothing in common: the cheapest way from one to the other, by its longer one."""
    if one == other:
        return 0.0
    before = [0.0]
    for sound in other:
        before.append(before[-1] + _gap(sound))
    for sound in one:
        row = [before[0] + _gap(sound)]
        for place, target in enumerate(other):
            row.append(
                min(before[place + 1] + _gap(sound), row[place] + _gap(target), before[place] + _swap(sound, target))
            )
        before = row
    return before[-1] / max(len(one), len(other), 1)


def _gap(sound: str) -> float:
    """A sound more or less."""
    return WEAK if sound in WEAK_SOUNDS else 1.0


@lru_cache(maxsize=4096)
def _swap(one: str, other: str) -> float:
    """One sound for another."""
    if one == other:
        return 0.0
    pair = frozenset((one, other))
    if pair <= VOWELS:
        return NEAR_VOWEL if pair in NEAR_VOWELS or "@" in pair else OTHER_VOWEL
    if pair & VOWELS:
        return WEAK if pair in (frozenset("ij"), frozenset("uw")) else OTHER
    if pair in PAIRS:
        return PAIR
    if any(pair <= frozenset(manner) for manner in MANNERS):
        return SAME_MANNER
    return SAME_VOICE if pair <= VOICELESS else OTHER
