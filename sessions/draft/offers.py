"""Finds the item and the size that a change names, or says what to ask instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agents.offers import Catalogue, ItemOffer, SizeOffer
from agents.spoken import DEFAULT_TABLE, Phrase, Role, WordTable, read_phrase, read_tokens
from agents.spoken.phrase import phrase_of
from agents.spoken_prices import say_price

from .names import Match, Names, Short, closest_names, either, is_enough, names_of
from .refusal import Refused


@dataclass(frozen=True, slots=True)
class NamedItem:
    """What a name of the caller's means: an item, and the size, number and modifiers where the words said them too."""

    item: ItemOffer
    size: SizeOffer | None = None
    quantity: int | None = None
    modifiers: tuple[str, ...] = ()


def find_item(name: str, catalogue: Catalogue) -> ItemOffer:
    """The one item that is meant, available now; raises Refused."""
    return read_item(name, catalogue).item


def read_item(name: str, catalogue: Catalogue) -> NamedItem:
    """The item that every word means, its size and how many included; raises Refused with the question to ask."""
    names = names_of(catalogue.items, catalogue.words, headings=headings_of(catalogue))
    phrase = read_phrase(name, catalogue.words)
    named = _named(phrase, names, catalogue)
    if named is None:
        head, tail = _with_modifiers(name, catalogue.words)
        named = _named(head, names, catalogue) if tail else None
        if named is not None:
            return replace(named, modifiers=(tail,))
    if named is not None:
        return named
    near = names.near(phrase)
    if near and near[0].comparison.spare.is_empty:
        raise Refused(f"Do you mean {either([match.offer.name for match in near])}?")
    raise Refused(f"I cannot find “{name[:60]}” on the menu.{_hint(name, near, names)}")


def _with_modifiers(name: str, table: WordTable) -> tuple[Phrase, str]:
    """“Margherita without basil”: the item, and what is said of its modifiers; nothing where no word parts them."""
    tokens = read_tokens(name, table)
    for at, token in enumerate(tokens):
        if at and token.role in (Role.WITH, Role.WITHOUT):
            tail = " ".join("," if each.is_break else each.text for each in tokens[at:])
            return phrase_of(tokens[:at], table), tail
    return Phrase(), ""


def _named(phrase: Phrase, names: Names[ItemOffer], catalogue: Catalogue) -> NamedItem | None:
    """Raises Refused where several are meant, or the one is out."""
    for rest, quantity in _without_number(phrase):
        found: list[tuple[ItemOffer, SizeOffer | None]] = [
            (match.offer, None)
            for match in names.understood(rest, Short.ALL_BUT_THE_HEAD)
            if quantity is None or not match.comparison.missing.amounts
        ]
        found = found or _in_a_size(names, rest, catalogue.words)
        if found:
            item, size = _only_one(found, catalogue)
            check_available(item, catalogue)
            return NamedItem(item, size, quantity)
    return None


def headings_of(catalogue: Catalogue) -> list[str]:
    """What may be said beside each item's name: its heading, with its menu where two menus have the same dish there."""
    counts = Counter((item.name.casefold(), item.category.casefold()) for item in catalogue.items)
    return [
        item.category
        if counts[item.name.casefold(), item.category.casefold()] == 1
        else f"{item.category} {item.menu}".strip()
        for item in catalogue.items
    ]


def _without_number(phrase: Phrase) -> Iterator[tuple[Phrase, int | None]]:
    """The phrase, then what is left of “two Margheritas” with the two."""
    yield phrase, None
    if phrase.amounts and phrase.amounts[0].is_first:
        first = phrase.amounts[0]
        if not first.measure and first.value.denominator == 1 and first.value >= 1:
            yield replace(phrase, amounts=phrase.amounts[1:]), int(first.value)


def _in_a_size(names: Names[ItemOffer], phrase: Phrase, table: WordTable) -> list[tuple[ItemOffer, SizeOffer | None]]:
    """“large Margherita”: the words that are not of the name are a size of the item."""
    found: list[tuple[tuple[int, ...], ItemOffer, SizeOffer]] = []
    for match in names.compared(phrase):
        comparison = match.comparison
        if not match.offer.sizes or not comparison.is_in_order or comparison.spare.is_empty:
            continue
        if not is_enough(match.form.phrase, comparison, Short.ALL_BUT_THE_HEAD, table) or not comparison.covered:
            continue
        sizes = names_of(match.offer.sizes, table).understood(comparison.spare, Short.ANYTHING)
        if len(sizes) == 1:
            found.append((match.rank, match.offer, sizes[0].offer))
    best = min((rank for rank, _, _ in found), default=())
    by_id = {item.id: (item, size) for rank, item, size in found if rank == best}
    return list(by_id.values())


def _only_one(
    found: Sequence[tuple[ItemOffer, SizeOffer | None]], catalogue: Catalogue
) -> tuple[ItemOffer, SizeOffer | None]:
    """The one that is meant. Two of one name are a question, unless it makes no difference which is sold."""
    by_name = {item.name.casefold(): item.name for item, _ in found}
    if len(by_name) > 1:
        raise Refused(f"Do you mean {either(list(by_name.values())[:4])}?")
    if len({_what_differs(item) for item, _ in found}) > 1:
        headings = dict(zip(catalogue.items, headings_of(catalogue), strict=True))
        asked = [f"the {item.name} under {headings[item]}" if headings[item] else f"the {item.name} for "
                 f"{say_price(item.least_price, catalogue.currency)}" for item, _ in found]  # fmt: skip
        raise Refused(f"Do you mean {either(list(dict.fromkeys(asked))[:4])}?")
    return next(((item, size) for item, size in found if item.is_available), found[0])


def _what_differs(item: ItemOffer) -> tuple[object, ...]:
    return item.price, tuple((size.name, size.price) for size in item.sizes), tuple(group.id for group in item.groups)


def _hint(name: str, near: Sequence[Match[ItemOffer]], names: Names[ItemOffer]) -> str:
    """Which word is in no name, and what is like it."""
    if not near:
        closest = closest_names(name, names.offers)
        return f" Do you mean {either(closest)}?" if closest else ""
    spare = near[0].comparison.spare
    unknown = " ".join(f"no {word.text}" if word.is_negated else word.text for word in spare.words)
    of_it = f" I do not know “{unknown[:40]}” of it." if unknown else ""
    return f"{of_it} Do you mean {either([match.offer.name for match in near])}?"


def check_available(item: ItemOffer, catalogue: Catalogue) -> None:
    """Raises Refused with an alternative of the same category if the item is out."""
    if not item.is_available:
        alternative = next(
            (other for other in catalogue.items if other.category == item.category and other.is_available), None
        )
        instead = f" Would you like the {alternative.name} instead?" if alternative else ""
        raise Refused(f"The {item.name} is out right now.{instead}")


def find_size(item: ItemOffer, name: str | None, table: WordTable = DEFAULT_TABLE) -> SizeOffer | None:
    """The size that is meant, or the usual one; None for an item without sizes. Raises Refused."""
    if not item.sizes:
        if name:
            raise Refused(f"The {item.name} comes in one size only.")
        return None
    usual = [item.usual_size] if item.usual_size else []
    found = _sizes_named(item, name, table) if name else usual
    left = either([size.name for size in item.sizes if size.is_available])
    if len(found) != 1 and not name and len(item.sizes) == 1:
        raise Refused(f"The {item.name} comes as {left} only. Would you like it?")
    if len(found) != 1:
        unknown = f"There is no {name[:40]} {item.name}. " if name and not found else ""
        raise Refused(f"{unknown}Which size of the {item.name}: {left}?")
    check_size_available(item, found[0])
    return found[0]


def check_size_available(item: ItemOffer, size: SizeOffer) -> None:
    """Raises Refused with the sizes that are left."""
    if not size.is_available:
        left = [other.name for other in item.sizes if other.is_available]
        raise Refused(f"The {size.name} {item.name} is out right now. There is {either(left)}.")


def _sizes_named(item: ItemOffer, name: str, table: WordTable) -> list[SizeOffer]:
    """The sizes of that name; the item's own may be said beside it."""
    names = names_of(item.sizes, table, headings=[item.name] * len(item.sizes))
    return [match.offer for match in names.understood(read_phrase(name, table), Short.ANYTHING)]
