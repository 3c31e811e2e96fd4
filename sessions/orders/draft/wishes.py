"""Reads the words of a wish: an item's phrase as item, size, quantity and choices; a choice's as single ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agents.catalog.offers import Catalog, ItemOffer, SizeOffer
from agents.catalog.spoken import Amount, Phrase, Role, Token, WordTable, read_phrase, read_tokens, readings

from .names import Match, Names, Short, best, names_of

OPENS_A_CHOICE = (Role.WITH, Role.WITHOUT, Role.WITHOUT_NEXT, Role.LESS, Role.MORE, Role.TIMES, Role.ONLY)
MOST_SAID = 100


@dataclass(frozen=True, slots=True)
class ItemWish:
    """What an item's phrase says besides the item; None and empty is what it does not say."""

    item: ItemOffer
    size: SizeOffer | None = None
    quantity: int | None = None
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    match: Match[ItemOffer]
    size: SizeOffer | None
    quantity: int | None


def names_of_items(catalog: Catalog) -> Names[ItemOffer]:
    """The items by name, alias and heading; namesakes under one heading by the menu, too."""
    places = Counter((item.name.casefold(), item.category.casefold()) for item in catalog.items)
    headings = [
        f"{item.category} of {item.menu}"
        if places[item.name.casefold(), item.category.casefold()] > 1 and item.menu
        else item.category
        for item in catalog.items
    ]
    return names_of(catalog.items, catalog.words, headings=headings)


def understand_item(text: str, catalog: Catalog) -> list[ItemWish]:
    """The items that all the words fit, with the size, the quantity and the choices among them; several in doubt.

    The whole phrase as a name comes first, then a name followed by choices (“Burger without onions”), then
    these with a part of the name alone.
    """
    names = names_of_items(catalog)
    tokens = read_tokens(text, catalog.words)
    for short in (Short.NOTHING, Short.ALL_BUT_THE_HEAD):
        if short is not Short.NOTHING and _is_choice(tokens, catalog):
            return []
        fits = _fits(tokens, names, short)
        if fits:
            return [ItemWish(fit.match.offer, fit.size, fit.quantity) for fit in fits]
        for at in reversed(range(1, len(tokens))):
            modifiers = tuple(text_of(piece) for piece in _split(tokens[at:], (Role.WITH,)))
            if not modifiers or not _opens_a_choice(tokens, at):
                continue
            fits = _fits(tokens[:at], names, short)
            if fits:
                return [ItemWish(fit.match.offer, fit.size, fit.quantity, modifiers) for fit in fits]
    return []


def _is_choice(tokens: tuple[Token, ...], catalog: Catalog) -> bool:
    """Whether the words name a modifier: “paneer” is then not short for the Palak Paneer."""
    modifiers = {
        modifier.id: modifier for item in catalog.items for group in item.all_groups() for modifier in group.modifiers
    }
    names = names_of(tuple(modifiers.values()), catalog.words)
    return any(names.understood(said) for said in readings(tokens, catalog.words))


def same_name(one: str, other: str) -> bool:
    """Whether both texts say the same in the same words."""
    return read_phrase(one).same_as(read_phrase(other))


def pieces(text: str, table: WordTable) -> list[str]:
    """“olives and no ham, mushrooms” as its single wishes."""
    return [text_of(piece) for piece in _split(read_tokens(text, table), (Role.WITH, Role.AND))]


def text_of(tokens: Sequence[Token]) -> str:
    """The tokens as a text that is read as the same tokens."""
    return " ".join(token.text for token in tokens)


def whole_number(amount: Amount) -> int | None:
    """How many, if the amount can say so."""
    is_count = not amount.measure and amount.value.denominator == 1 and 1 <= amount.value <= MOST_SAID
    return int(amount.value) if is_count else None


def without_count(spare: Phrase) -> tuple[Phrase, int | None]:
    """The phrase without the number it begins with, and that number."""
    if spare.amounts and spare.amounts[0].is_first and (count := whole_number(spare.amounts[0])) is not None:
        return replace(spare, amounts=spare.amounts[1:]), count
    return spare, None


def _fits(tokens: tuple[Token, ...], names: Names[ItemOffer], short: Short) -> list[_Fit]:
    said = readings(tokens, names.table)
    found = [fit for phrase in said for fit in _fitting(phrase, names, short, needs_whole_heading=True)]
    if not found and short is Short.NOTHING:
        # “Caesar wrap” distinguishes the Caesar under “Wraps & Rolls” from its namesake under “Salads & Bowls”.
        half = [fit for phrase in said for fit in _fitting(phrase, names, short, needs_whole_heading=False)]
        counts = Counter(item.name.casefold() for item in names.offers)
        found = [fit for fit in half if counts[fit.match.offer.name.casefold()] > 1]
    kept = {id(match) for match in best(fit.match for fit in found)}
    found = [fit for fit in found if id(fit.match) in kept]
    is_short = bool(found) and not found[0].match.comparison.is_complete
    return found + _rivals(found[0], said, names) if is_short else found


def _rivals(fit: _Fit, said: Sequence[Phrase], names: Names[ItemOffer]) -> list[_Fit]:
    """Other items that a short name may mean as well, though it leaves out more of theirs."""
    spare, likeness = fit.match.comparison.spare, fit.match.comparison.likeness
    return [
        replace(fit, match=match)
        for phrase in said
        for match in names.compared(phrase)
        if match.comparison.covered
        and match.comparison.spare == spare
        and match.comparison.likeness <= likeness
        and match.offer.name.casefold() != fit.match.offer.name.casefold()
    ]


def _fitting(said: Phrase, names: Names[ItemOffer], short: Short, *, needs_whole_heading: bool) -> Iterator[_Fit]:
    for match in names.compared(said, needs_whole_heading=needs_whole_heading):
        comparison = match.comparison
        if not comparison.is_in_order or not (comparison.covered or comparison.is_understood):
            continue
        if not names.is_enough(match.form, comparison, short):
            continue
        if _may_be_size_or_count(match.offer, comparison.spare, names.table):
            continue
        # The whole remainder may be a size (“2 litres”); else its first number is how many.
        for rest, quantity in dict.fromkeys([(comparison.spare, None), without_count(comparison.spare)]):
            if quantity is not None and comparison.missing.amounts:
                continue  # “20 nuggets” are not twenty of the 6 Nuggets
            size = _size_of(match.offer, rest, names.table)
            if rest.is_empty or size is not None:
                rank = (*match.rank[:2], size is not None, *match.rank[2:])
                yield _Fit(replace(match, rank=rank), size, quantity)
                break


def _may_be_size_or_count(item: ItemOffer, spare: Phrase, table: WordTable) -> bool:
    """“24 roses”, where roses are sold by 12 and by 24: the agent has to ask."""
    _, count = without_count(spare)
    if count is None:
        return False
    sizes = [amount for size in item.sizes for amount in read_phrase(size.name, table).amounts]
    return any(spare.amounts[0].equals(amount) for amount in sizes)


def _size_of(item: ItemOffer, said: Phrase, table: WordTable) -> SizeOffer | None:
    if said.is_empty or not item.sizes:
        return None
    found = names_of(item.sizes, table).understood(said)
    return found[0].offer if len(found) == 1 else None


def _opens_a_choice(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    is_free = token.role is Role.CONTENT and at + 1 < len(tokens) and tokens[at + 1].role is Role.FREE
    return token.role in OPENS_A_CHOICE or (is_free and not token.is_break)


def _split(tokens: Sequence[Token], joints: Sequence[Role]) -> list[tuple[Token, ...]]:
    """The parts between the joints and the breaks; empty ones left out."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.is_break or token.role in joints:
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts if part]
