"""Finds the item and the size that a change names, or says what to ask instead."""

from __future__ import annotations

from collections.abc import Sequence

from agents.catalog.offers import Catalog, ItemOffer, SizeOffer, say_absence, say_price
from agents.catalog.spoken import DEFAULT_TABLE, Phrase, WordTable, read_phrase, read_tokens, readings

from .lines import Refused
from .names import Match, Names, Short, closest_names, either, names_of
from .wishes import ItemWish, names_of_items, understand_item

MOST_NAMED = 4


def find_item(text: str, catalog: Catalog) -> ItemWish:
    """The one item that is meant, available now, and what else the words say; raises Refused."""
    found = understand_item(text, catalog)
    if not found:
        raise Refused(_not_found(text, catalog))
    by_name = {wish.item.name.casefold(): wish.item.name for wish in reversed(found)}
    if len(by_name) > 1:
        raise Refused(f"Do you mean {either(list(reversed(by_name.values()))[:MOST_NAMED])}?")
    wish = _only_one(found, catalog)
    check_available(wish.item, catalog)
    return wish


def check_available(item: ItemOffer, catalog: Catalog) -> None:
    """Raises Refused with an alternative of the same category if the item is out."""
    if not item.is_available:
        alternative = next(
            (other for other in catalog.items if other.category == item.category and other.is_available), None
        )
        instead = f" Would you like the {alternative.name} instead?" if alternative else ""
        raise Refused(f"The {item.name} is {say_absence(item)}.{instead}")


def find_size(item: ItemOffer, name: str | None, words: WordTable = DEFAULT_TABLE) -> SizeOffer | None:
    """The size that is meant, or the usual one; None for an item without sizes. Raises Refused."""
    if not item.sizes:
        if name:
            raise Refused(f"The {item.name} comes in one size only.")
        return None
    usual = [item.usual_size] if item.usual_size else []
    found = _sizes_said(item, name, words) if name else usual
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


def unknown_words(said: Phrase) -> str:
    """The words of a remainder, as they are quoted back."""
    words = [f"no {word.text}" if word.is_negated else word.text for word in said.words]
    numbers = [f"{float(amount.value):g}" for amount in said.amounts]
    return " ".join([*numbers, *said.marks, *words])


def _sizes_said(item: ItemOffer, name: str, words: WordTable) -> list[SizeOffer]:
    """The size's name; beside it, the item's own name may be said (“large Margherita”)."""
    names = names_of(item.sizes, words, headings=[item.name] * len(item.sizes))
    for short in (Short.NOTHING, Short.ANYTHING):
        for said in readings(read_tokens(name, words), words):
            found = [match.offer for match in names.understood(said, short)]
            if found:
                return found
    return []


def _only_one(found: Sequence[ItemWish], catalog: Catalog) -> ItemWish:
    """Of items of one name the one that differs in nothing; raises Refused with how they differ."""
    items = [wish.item for wish in found]
    labels = list(dict.fromkeys(_label(item, items, catalog) for item in items))
    if len(labels) > 1:
        raise Refused(f"Do you mean {either(labels[:MOST_NAMED])}?")
    return next((wish for wish in found if wish.item.is_available), found[0])


def _label(item: ItemOffer, items: Sequence[ItemOffer], catalog: Catalog) -> str:
    """The heading, the menu where the headings are the same, and the price: all in which namesakes differ."""
    label = f"the {item.name}"
    headings = {other.category for other in items}
    if len(headings) > 1:
        label += f" under {item.category}"
    if len({(other.category, other.menu) for other in items}) > len(headings):
        label += f" of {item.menu}"
    if len({other.least_price for other in items}) > 1:
        label += f" for {say_price(item.least_price, catalog.currency)}"
    return label


def _not_found(text: str, catalog: Catalog) -> str:
    names = names_of_items(catalog)
    said = read_phrase(text, catalog.words)
    near = names.near(said, most=MOST_NAMED)
    short = [match for match in near if match.comparison.spare.is_empty and match.comparison.is_in_order]
    if short:
        return f"Do you mean {either([match.offer.name for match in short])}?"
    unknown = f"I cannot find “{text[:60]}” on the menu."
    if near:
        hint = either([match.offer.name for match in near[:3]])
        return f"{unknown}{_not_understood(near[0])} Do you mean {hint}?"
    headed = _under_heading(said, names)
    if headed:
        return f"Do you mean {either(headed)}?"
    alike = closest_names(text, catalog.items)
    return f"{unknown} Do you mean {either(alike)}?" if alike else unknown


def _not_understood(match: Match[ItemOffer]) -> str:
    words = unknown_words(match.comparison.spare)
    return f" I do not know “{words[:60]}” there." if words else ""


def _under_heading(said: Phrase, names: Names[ItemOffer]) -> list[str]:
    """What stands under a heading that was named alone."""
    found = [match for match in names.compared(said) if match.comparison.is_understood and not said.starts_negated]
    return list(dict.fromkeys(match.offer.name for match in found))[:MOST_NAMED]
