"""Names that a caller cannot say apart, or that nobody can say."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from agents.catalog.offers import ItemOffer, Offer
from agents.catalog.spoken.folding import fold, plain_text

from .finding import Finding, Fix, Rule, Severity
from .phonemes import WEAK, coarse, distance, phonemes

# Measured on tests/test_sounds.py: below it people ask back; “Beef” and “Beet” are just inside.
ALIKE = 0.25
# By coarse sounds, before the dear comparison: nearly all pairs end here.
COARSELY_ALIKE = 0.6
LONGEST_SPOKEN = 45
MOST_WORDS = 7
WORD = re.compile(r"\w+")
# Scripts that a language's speakers read; Latin for all others.
SCRIPTS = {"ru": "CYRILLIC", "uk": "CYRILLIC", "bg": "CYRILLIC", "sr": "CYRILLIC", "el": "GREEK", "ar": "ARABIC",
           "he": "HEBREW", "ja": "", "zh": "", "ko": "HANGUL", "th": "THAI", "hi": "DEVANAGARI"}  # fmt: skip
UNPRONOUNCED = re.compile(r"[&@%#$€£§™®°½¼¾]|\d")


@dataclass(frozen=True, slots=True)
class Said:
    """A form by which something is asked for. `group`: which list it stands in, for what is chosen together."""

    text: str
    offer: Offer
    kind: str
    where: str
    page: str
    page_pk: int
    is_alias: bool = False
    is_mine: bool = True

    @property
    def key(self) -> str:
        return folded(self.text)


@lru_cache(maxsize=16384)
def folded(text: str) -> str:
    return " ".join(fold(plain_text(text)).split())


def forms_of_items(items: Iterable[ItemOffer], *, is_mine: bool = True) -> list[Said]:
    return [
        Said(text, item, "item", item.category, "item", item.id, place > 0, is_mine)
        for item in items
        for place, text in enumerate((item.name, *item.spoken_forms))
    ]


def forms_of_choices(items: Iterable[ItemOffer]) -> list[list[Said]]:
    """The sizes of each item, and the modifiers of each group."""
    found: list[list[Said]] = []
    groups = {group.id: group for item in items for group in item.all_groups()}
    for item in items:
        found.append(_forms(item.sizes, "size", item.name, item.id))
    for group in groups.values():
        found.append(_forms(group.modifiers, "modifier", group.name))
    return [forms for forms in found if len(forms) > 1]


def _forms(offers: Sequence[Offer], kind: str, where: str, item: int = 0) -> list[Said]:
    """A size is changed on the page of its item, a modifier on its own."""
    return [
        Said(text, offer, kind, where, "item" if item else kind, item or offer.id, place > 0)
        for offer in offers
        for place, text in enumerate((offer.name, *offer.spoken_forms))
    ]


def same_names(forms: Sequence[Said]) -> Iterator[Finding]:
    """Two of a name, and an alias that is another's name."""
    by_key: defaultdict[str, list[Said]] = defaultdict(list)
    for form in forms:
        if not any(other.offer is form.offer for other in by_key[form.key]):
            by_key[form.key].append(form)
    for alike in by_key.values():
        mine = [form for form in alike if form.is_mine]
        if len(alike) < 2 or not mine:
            continue
        names = [form for form in alike if not form.is_alias]
        if len(names) > 1 and any(form.is_mine for form in names):
            yield _same_name(names)
        for alias in (form for form in mine if form.is_alias):
            other = next(form for form in [*names, *alike] if form.offer is not alias.offer)
            yield _same_alias(alias, other)


def _same_name(names: Sequence[Said]) -> Finding:
    first, second = names[:2]
    one = first if first.is_mine else second
    if first.where == second.where:
        text = gettext("“%(offer)s” is there twice under %(where)s: callers cannot say which one. Rename one.") % {
            "offer": first.offer.name,
            "where": first.where,
        }
        return Finding(Rule.SAME_NAME, Severity.PROBLEM, text, one.page, one.page_pk, "name")
    text = gettext(
        "“%(offer)s” is under %(where)s and under %(where_2)s: the agent has to ask each time. "
        "Give one of them another name."
    ) % {"offer": first.offer.name, "where": first.where, "where_2": second.where}
    return Finding(Rule.SAME_NAME, Severity.WARNING, text, one.page, one.page_pk, "name")


def _same_alias(alias: Said, other: Said) -> Finding:
    whose = (
        gettext("another alias of %(offer)s") % {"offer": other.offer.name}
        if other.is_alias
        else gettext("the name of another %(kind)s") % {"kind": other.kind}
    )
    text = gettext("“%(alias)s”, an alias of %(offer)s, is also %(whose)s: callers who say it get a question back.") % {
        "alias": alias.text,
        "offer": alias.offer.name,
        "whose": whose,
    }
    fix = Fix(
        "remove-alias",
        gettext("Remove the alias “%(alias)s”") % {"alias": alias.text},
        alias.kind,
        alias.offer.id,
        alias.text,
    )
    return Finding(Rule.SAME_ALIAS, Severity.WARNING, text, alias.page, alias.page_pk, "aliases", fix)


def sound_alikes(forms: Sequence[Said], language: str) -> Iterator[Finding]:
    """Pairs of forms, each pair of things once."""
    read = [_Read.of(form.text, language) for form in forms]
    coarsely = [each.coarsely for each in read]
    seen: set[frozenset[tuple[str, int]]] = set()
    for place, form in enumerate(forms):
        near = process.extract(
            coarsely[place], coarsely[place + 1 :], scorer=Levenshtein.normalized_similarity,
            score_cutoff=COARSELY_ALIKE, limit=None,
        )  # fmt: skip
        for _, _, offset in near:
            at = place + 1 + offset
            if not read[place].sounds_like(read[at]):
                continue
            other = forms[at]
            pair = frozenset({(form.kind, form.offer.id), (other.kind, other.offer.id)})
            if len(pair) == 2 and pair not in seen and (form.is_mine or other.is_mine) and form.key != other.key:
                seen.add(pair)
                yield _sounds_alike(form, other)


@dataclass(frozen=True, slots=True)
class _Read:
    """The sounds of a form, by its words."""

    words: frozenset[str]
    sounds: tuple[tuple[str, str], ...]
    coarsely: str

    @classmethod
    def of(cls, text: str, language: str) -> _Read:
        sounds = tuple((word, phonemes(word, language)) for word in WORD.findall(plain_text(text)))
        return cls(frozenset(word for word, _ in sounds), sounds, coarse("".join(sound for _, sound in sounds)))

    def sounds_like(self, other: _Read) -> bool:
        """By the words in which they differ; none on one side is no matter of sound (“Salad”, “Mixed Salad”)."""
        shared = self.words & other.words
        if len(shared) in (len(self.words), len(other.words)):
            return False
        left = "".join([sound for word, sound in self.sounds if word not in shared])
        right = "".join([sound for word, sound in other.sounds if word not in shared])
        return _is_near(left, right) and not _differ_by_number(self.words, other.words)


@lru_cache(maxsize=131072)
def _is_near(one: str, other: str) -> bool:
    # The cheapest way to a longer one costs WEAK for each sound.
    if abs(len(one) - len(other)) * WEAK > ALIKE * max(len(one), len(other)):
        return False
    if not (one and other) or Levenshtein.normalized_similarity(coarse(one), coarse(other)) < COARSELY_ALIKE:
        return False
    return distance(one, other) <= ALIKE


def _differ_by_number(one: Set[str], other: Set[str]) -> bool:
    """“Menu 1” and “Menu 2”: figures are not read by these rules."""
    return any(word[:1].isdigit() for word in one ^ other)


def _sounds_alike(one: Said, other: Said) -> Finding:
    first = one if one.is_mine else other
    names = [f"“{each.text}”" + (f" ({each.offer.name})" if each.is_alias else "") for each in (one, other)]
    text = gettext(
        "%(names)s and %(names_2)s sound alike: one may be taken for the other. Rename one, or remove the alias."
    ) % {"names": names[0], "names_2": names[1]}
    if not one.is_alias and not other.is_alias:
        text = gettext(
            "%(names)s and %(names_2)s sound alike: one may be taken for the other. Give one another name to say."
        ) % {"names": names[0], "names_2": names[1]}
    field = "aliases" if first.is_alias else "spoken_name"
    return Finding(Rule.SOUNDS_ALIKE, Severity.WARNING, text, first.page, first.page_pk, field)


def unsaid_names(offers: Iterable[tuple[str, Offer, str, int]], language: str) -> Iterator[Finding]:
    """Of (kind, offer, page, page_pk): names that need a spoken one, and those that are too long to say."""
    for kind, offer, page, pk in offers:
        has_other = bool(offer.spoken_forms)
        if not has_other and (why := why_unsaid(offer.name, language)):
            text = gettext("The %(kind)s “%(offer)s” %(why)s. Enter how it is said.") % {
                "kind": kind,
                "offer": offer.name,
                "why": why,
            }
            yield Finding(Rule.SPOKEN_NAME, Severity.WARNING, text, page, pk, "spoken_name")
        shortest = min((offer.name, *offer.spoken_forms), key=len)
        if len(shortest) > LONGEST_SPOKEN or len(shortest.split()) > MOST_WORDS:
            text = gettext(
                "The %(kind)s “%(offer)s” is long: no caller says all of it. Enter a shorter spoken name."
            ) % {"kind": kind, "offer": offer.name}
            yield Finding(Rule.LONG_NAME, Severity.WARNING, text, page, pk, "spoken_name")


@lru_cache(maxsize=16384)
def why_unsaid(name: str, language: str) -> str:
    """Why a voice, or a caller, would not know how to say it; empty where they do."""
    if UNPRONOUNCED.search(name):
        return gettext("has figures or signs, which are read in several ways")
    script = SCRIPTS.get(language, "LATIN")
    letters = [character for character in name if character.isalpha()]
    if not letters:
        return gettext("has no letters")
    if script and sum(not unicodedata.name(each, "").startswith((script, "LATIN")) for each in letters) > 0:
        return gettext("is written in another script than its callers read")
    words = [word for word in WORD.findall(name) if len(word) > 1 and word.isascii()]
    if any(word.isupper() and len(word) > 1 and len(words) > 1 for word in words) and not name.isupper():
        return gettext("has an abbreviation")
    if any(not set(word.casefold()) & set("aeiouy") for word in words):
        return gettext("has an abbreviation")
    return ""
