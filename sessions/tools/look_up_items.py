"""Tool: find items of the menu with their sizes, options and availability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct

from agents.catalog.offers import Catalog, ItemOffer, ModifierOffer, Offer, say_absence, say_price, say_size
from agents.catalog.queries import load_catalog
from agents.catalog.spoken import Ear, Phrase, compare, read_phrase, read_tokens, readings
from sessions.orders.draft.names import Short, either
from sessions.orders.draft.requests import argument
from sessions.orders.draft.wishes import names_of_items

from .tool import Answer, Tool, ToolRequest

MOST_ITEMS = 8


class Query(Struct):
    query: Annotated[
        str, argument("What are you looking for?", "What the caller asked for; empty for the headings.", max_length=200)
    ]


def look_up_items(request: ToolRequest[Query]) -> Answer:
    query = request.arguments.query
    assert request.call.organization_id is not None
    catalog = load_catalog(request.call.organization_id, request.now)
    if not query:
        return Answer(
            f"We have {either(list(catalog.categories()))}.", facts={"categories": list(catalog.categories())}
        )
    found = _matching(query, catalog)[:MOST_ITEMS]
    if not found:
        return Answer(f"I cannot find “{query[:60]}” on the menu.", is_ok=False, facts={"items": []})
    said = ", ".join(_say(item, found, catalog.currency) for item in found[:3])
    return Answer(f"There is {said}.", facts={"items": [_show(item) for item in found]})


def _matching(query: str, catalog: Catalog) -> list[ItemOffer]:
    """What the words name, then what is under a heading of that name, then what the words are a part of."""
    names = names_of_items(catalog)
    for said in readings(read_tokens(query, catalog.words), catalog.words):
        named = [match.offer for match in names.understood(said, Short.ANYTHING)]
        described = [item for item in catalog.items if _is_described(said, item, names.ear)]
        if named or described:
            return list(dict.fromkeys([*named, *described]))
    return []


def _is_described(said: Phrase, item: ItemOffer, ear: Ear) -> bool:
    """Whether each word is in the item's names, heading or description, negated or not as it is there."""
    texts = (item.name, *item.spoken_forms, item.category, item.description)
    about = read_phrase(", ".join(text for text in texts if text), ear.table)
    return not said.is_empty and compare(said, about, ear).spare.is_empty


def _say(item: ItemOffer, found: Sequence[ItemOffer], currency: str) -> str:
    stands_twice = sum(other.name == item.name for other in found) > 1
    name = f"the {item.name} under {item.category}" if stands_twice else f"the {item.name}"
    if not item.is_available:
        return f"{name}, which is {say_absence(item)}"
    if item.sizes:
        sizes = [say_size(size, currency) for size in item.sizes if size.is_available]
        return f"{name}, {either(sizes)}"
    return f"{name} for {say_price(item.price, currency)}"


def _show(item: ItemOffer) -> dict[str, object]:
    return {
        **_offer(item),
        "price": f"{item.least_price:.2f}",
        "category": item.category,
        "description": item.description,
        "allergens": ", ".join(item.allergens) or "not stated: you do not know",
        "served": item.served or "always",
        "sizes": [_offer(size) | {"is_default": size.is_default} for size in item.sizes],
        "groups": [
            {
                "name": group.name,
                "choose_at_least": group.minimum,
                "choose_at_most": group.maximum,
                "modifiers": [_show_modifier(modifier) for modifier in group.modifiers],
            }
            for group in item.all_groups()
        ],
    }


def _show_modifier(modifier: ModifierOffer) -> dict[str, object]:
    allergens = {"allergens": ", ".join(modifier.allergens)} if modifier.allergens else {}
    return _offer(modifier) | {"is_default": modifier.is_default} | allergens


def _offer(offer: Offer) -> dict[str, object]:
    return {"name": offer.name, "price": f"{offer.price:.2f}", "is_available": offer.is_available}


LOOK_UP_ITEMS = Tool(
    name="look_up_items",
    description="Find items of the menu by name, heading or ingredient, with sizes, prices, options and availability.",
    arguments=Query,
    only_reads=True,
    run=look_up_items,
)
